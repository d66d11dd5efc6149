// A tool of the partner's own, to put the enforcement gateway in front of: it answers
// with what it was asked and told, by plain Node.
//
//   node docs/walk/tool.mjs            # on 127.0.0.1:9000
//
// What is secret is not shown: it would end up in a terminal's history.
import { createServer } from "node:http";

const secret = new Set(["authorization", "cookie", "x-partnerguard-assertion"]);

createServer((request, response) => {
  const told = Object.entries(request.headers).map(([name, value]) => `${name}: ${secret.has(name) ? "(not shown)" : value}`);
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end([`${request.method} ${request.url}`, ...told, ""].join("\n"));
}).listen(Number(process.argv[2] ?? 9000), "127.0.0.1", () => console.log("a tool, at http://127.0.0.1:" + (process.argv[2] ?? 9000)));
