// The certified OpenID provider of the package oidc-provider, under the paths that GenAuth has.
// Its sign-in page takes any login with any password. Operations: start, register, rotate.
"use strict";

const crypto = require("node:crypto");
const http = require("node:http");
const { serve } = require("./lines");

console.info = console.warn = console.error; // stdout belongs to the answers

const MOUNT = "/oidc";
const cookieKeys = [crypto.randomBytes(32).toString("hex")];

let Provider, store, issuer, provider, handle;

const newKey = () => ({
  ...crypto.generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }),
  kid: crypto.randomUUID(),
  use: "sig",
  alg: "RS256",
});

const configuration = () => ({
  adapter: store,
  jwks: { keys: [newKey()] },
  cookies: { keys: cookieKeys },
  routes: {
    authorization: "/auth",
    token: "/token",
    userinfo: "/me",
    jwks: "/.well-known/jwks.json",
    revocation: "/token/revocation",
    introspection: "/token/introspection",
    end_session: "/session/end",
  },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    phone: ["phone_number"],
    profile: ["preferred_username"],
    address: ["address"],
  },
  findAccount: (context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, preferred_username: id }),
  }),
  ttl: { AccessToken: 3600, Grant: 86400, IdToken: 3600, Interaction: 3600, RefreshToken: 86400, Session: 86400 },
  features: {
    introspection: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    userinfo: { enabled: true },
    devInteractions: { enabled: true },
    // A client that asks for a resource gets a JWT for it; others get an opaque token, which userinfo takes.
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: (context, resource) => ({
        audience: resource,
        scope: "items:read items:write",
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
});

// Nothing but the key changes: all providers of a process share one store, and the cookies' keys.
const makeProvider = () => {
  provider = new Provider(issuer, configuration());
  handle = provider.callback();
};

const answer = (request, response) => {
  if (!request.url.startsWith(`${MOUNT}/`)) return response.writeHead(404).end();
  request.originalUrl = request.url; // tells the provider where it is mounted
  request.url = request.url.slice(MOUNT.length);
  return handle(request, response);
};

const operations = {
  start: async () => {
    ({ Provider } = await import("oidc-provider"));
    store = (await import("oidc-provider/lib/adapters/memory_adapter.js")).createMemoryAdapter();
    const server = http.createServer(answer);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const host = `http://127.0.0.1:${server.address().port}`;
    issuer = host + MOUNT;
    makeProvider();
    return host;
  },

  // A confidential client.
  register: async ({ redirect_uri, post_logout_redirect_uri }) => {
    const client = {
      client_id: crypto.randomUUID(),
      client_secret: crypto.randomBytes(32).toString("base64url"),
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      redirect_uris: [redirect_uri],
      post_logout_redirect_uris: [post_logout_redirect_uri],
      token_endpoint_auth_method: "client_secret_post",
      id_token_signed_response_alg: "RS256",
    };
    await provider.Client.adapter.upsert(client.client_id, client);
    return { client_id: client.client_id, client_secret: client.client_secret };
  },

  // From now on it signs with a new key, and publishes that one alone.
  rotate: () => makeProvider(),
};

serve(operations).then(() => process.exit());
