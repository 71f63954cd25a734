// Calls the vendor's Node SDK: {"operation": "call", "options": the client's, "method": ..., "parameters": [...]}.
"use strict";

const { AuthenticationClient } = require("authing-node-sdk");
const { serve } = require("./lines");

serve({
  call: ({ options, method, parameters }) => new AuthenticationClient(options)[method](...parameters),
});
