// Owns the operations that the explorer opens with: one in each tab, written for readers who see the graph for the first time.

export interface ExplorerExample {
  /** Title of the tab. */
  readonly name: string;
  /** The operation's text. Values are written into it rather than put into variables, so that the reader sees everything at once. */
  readonly document: string;
}

const LOOK_AROUND = `# What can be called, and what the catalogue knows.
# "Docs" above describes every field; Ctrl+Space completes as you type.

query LookAround {
  # The name that goes into "model" of a completion is an instance's slug.
  modelInstances(first: 10) {
    totalCount
    nodes {
      slug
      displayName
      model {
        canonicalId
        contextLength
        capabilities
      }
    }
  }

  # To call one of these, create a ProviderConfig with your key.
  providerSpecs(first: 5) {
    totalCount
    nodes {
      key
      displayName
      description
    }
  }
}
`;

const COMPLETE = `# Asks a model and waits for the whole answer.
# The sandbox is a simulated model: it costs nothing and needs no credential.

mutation Complete {
  complete(
    input: {
      model: "sandbox/sandbox-text"
      messages: [{ role: USER, text: "What is a durable run?" }]
      parameters: { maxTokens: 200 }
    }
  ) {
    completion {
      id
      status
      text
      finishReason
      usage {
        inputTokens
        outputTokens
        totalTokens
      }
      # In dollars; null where no price is known.
      cost
      # Every call that was made for it, in order.
      attempts {
        canonicalId
        outcome
        firstTokenMs
        durationMs
      }
    }
  }
}
`;

const STREAM = `# Welcome to Modelgraph: one graph over every model that you can call.
# Send this (Ctrl+Enter) and watch a completion arrive, token by token.
#
# The answer grows in the panel at the bottom right; the list has every event.
# The key in use is named at the top right; it is the variable "apiKey" of that environment.
# The run outlives this subscription. To join it again, from where you left:
#   subscription { completionEvents(id: "<completionId>", after: <seq>) { ... } }
# To stop it, call the mutation cancelCompletion.

subscription Stream {
  streamCompletion(
    input: {
      # Simulated, free, and without credential. Put any slug of yours in its place.
      model: "sandbox/sandbox-text"
      messages: [{ role: USER, text: "Tell me a story." }]
      parameters: { maxTokens: 200 }
    }
  ) {
    # Grows by one with each event, so that you can tell that none is missing.
    seq
    ... on CompletionStarted {
      completionId
    }
    ... on TextDelta {
      text
    }
    ... on ReasoningDelta {
      reasoning: text
    }
    ... on ToolCallDelta {
      index
      name
      argumentsText
    }
    ... on CompletionRerouted {
      # Another instance took over; if true, forget what came before.
      discard
      reason
    }
    # The last event is exactly one of these four.
    ... on CompletionFinished {
      completion {
        text
        finishReason
        usage {
          totalTokens
        }
        cost
      }
    }
    ... on CompletionFailed {
      completion {
        error {
          code
          message
        }
      }
    }
    ... on CompletionCancelled {
      completion {
        cost
      }
    }
    ... on CompletionInterrupted {
      completion {
        cost
      }
    }
  }
}
`;

const OWN_PROVIDER = `# Brings a provider of your own. Put its API key into "secret": it is stored encrypted and never shown again.
# Then send SyncModels with the id that this returns, to take over the list of models that the key can call.

mutation AddProvider {
  createProviderConfig(
    input: { name: "my OpenAI", providerKey: "openai", secret: "sk-..." }
  ) {
    providerConfig {
      id
      name
    }
    userErrors {
      field
      message
    }
  }
}

mutation SyncModels {
  syncModels(input: { configId: "<id of the config>" }) {
    syncs {
      status
      added
      error {
        message
      }
    }
    userErrors {
      field
      message
    }
  }
}

# An instance is a name that applications call: a model, the config that pays for it, and how it is chosen.
mutation AddInstance {
  createModelInstance(
    input: {
      slug: "fast"
      configId: "<id of the config>"
      canonicalId: "openai/gpt-5.4-mini"
      tags: ["chat"]
    }
  ) {
    modelInstance {
      slug
    }
    userErrors {
      field
      message
    }
  }
}
`;

const ROUTE_PLAN = `# Shows which instances a completion would try, in which order and why. Nobody is called, and nothing is charged.

query RoutePlan {
  routePlan(
    input: {
      # A slug, a model as in "openai/gpt-5.4-mini", a tag as in "tag:chat", or "auto".
      model: "sandbox/sandbox-text"
      messages: [{ role: USER, text: "Hello" }]
    }
  ) {
    summary
    candidates {
      place
      label
      reason
    }
  }
}
`;

const KEYS_AND_USAGE = `# What was used and what it cost.
query Usage {
  usageReport {
    rows {
      key
      completions
      cost
    }
  }
}

# A key for an application: it may run completions and nothing else. Its text is shown once, here.
mutation CreateKey {
  createApiKey(input: { name: "my application", scopes: [RUN] }) {
    secret
    userErrors {
      field
      message
    }
  }
}
`;

/** The explorer shows the last one first. */
export const EXPLORER_EXAMPLES: readonly ExplorerExample[] = [
  { name: 'Usage and keys', document: KEYS_AND_USAGE },
  { name: 'Your own provider', document: OWN_PROVIDER },
  { name: 'Route plan', document: ROUTE_PLAN },
  { name: 'Look around', document: LOOK_AROUND },
  { name: 'Complete', document: COMPLETE },
  { name: 'Stream', document: STREAM },
];
