// Requests of an assistant to the server, as plain values, so that a row of a table can hold them.

export const tool = (name, args) => ({ tool: name, arguments: args });
export const read = (uri) => ({ uri });
export const prompt = (name, args) => ({ prompt: name, arguments: args });

/** A request in one line, for the names of failures. */
export function inWords(request) {
  const { tool, uri, prompt } = request;
  return uri ?? `${tool ?? prompt} ${JSON.stringify(request.arguments)}`;
}
