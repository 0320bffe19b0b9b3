/** The plainest upstream: reads the body, answers. `node bench/upstream.ts` says where it listens. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const answer = Buffer.from('{"done":true}');
const server = createServer((request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": answer.length,
    });
    response.end(answer);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
