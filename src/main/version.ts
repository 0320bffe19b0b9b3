/** The version of this package, as the log's start entry and the MCP `serverInfo` name it. */
export const version = "0.1.0";
