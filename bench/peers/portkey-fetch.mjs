// Owns a repair for Portkey's gateway on Node 24: it changes headers of responses that fetch gives, which are immutable there.
const original = globalThis.fetch;
globalThis.fetch = async (...args) => {
  const response = await original(...args);
  return new Response(response.body, {
    status: response.status,
    statusText: response.statusText,
    headers: new Headers(response.headers),
  });
};
