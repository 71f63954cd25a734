// Answers one JSON request a line on stdin with one JSON line on stdout: {"ok": ...} or {"error": "..."}.
// A request is {"operation": name, and that operation's arguments}.
"use strict";

const readline = require("node:readline");

exports.serve = async (operations) => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let answer;
    try {
      const { operation, ...parameters } = JSON.parse(line);
      answer = { ok: await operations[operation](parameters) };
    } catch (error) {
      answer = { error: error.message };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
};
