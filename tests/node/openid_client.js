// A client of the certified library openid-client. Operations: discover first, then the steps of a sign-in.
"use strict";

const { serve } = require("./lines");

let openid, config, expected;

const authentications = {
  client_secret_post: (secret) => openid.ClientSecretPost(secret),
  client_secret_basic: (secret) => openid.ClientSecretBasic(secret),
  none: () => openid.None(),
};

const operations = {
  // With keys, it verifies the signatures of ID tokens itself.
  discover: async ({ issuer, client_id, client_secret, method, keys }) => {
    openid = await import("openid-client");
    const execute = [openid.allowInsecureRequests, ...(keys ? [openid.enableNonRepudiationChecks] : [])];
    const metadata = { id_token_signed_response_alg: keys ? "RS256" : "HS256" };
    const authentication = authentications[method](client_secret);
    config = await openid.discovery(new URL(issuer), client_id, metadata, authentication, { execute });
    return config.serverMetadata();
  },

  authorization_url: async (parameters) => {
    expected = {
      pkceCodeVerifier: openid.randomPKCECodeVerifier(),
      expectedState: openid.randomState(),
      expectedNonce: openid.randomNonce(),
    };
    return openid.buildAuthorizationUrl(config, {
      code_challenge: await openid.calculatePKCECodeChallenge(expected.pkceCodeVerifier),
      code_challenge_method: "S256",
      state: expected.expectedState,
      nonce: expected.expectedNonce,
      ...parameters,
    }).href;
  },

  exchange: async ({ callback }) => {
    const tokens = await openid.authorizationCodeGrant(config, new URL(callback), expected);
    return { ...tokens, claims: tokens.claims(), lifetime: tokens.expiresIn() };
  },

  refresh: async ({ refresh_token }) => {
    const tokens = await openid.refreshTokenGrant(config, refresh_token);
    return { ...tokens, claims: tokens.claims() };
  },

  user_info: ({ access_token, sub }) => openid.fetchUserInfo(config, access_token, sub),
  introspect: ({ token }) => openid.tokenIntrospection(config, token),
  revoke: ({ token }) => openid.tokenRevocation(config, token),
  client_credentials: (parameters) => openid.clientCredentialsGrant(config, parameters),
  end_session_url: (parameters) => openid.buildEndSessionUrl(config, parameters).href,
};

// What went wrong is in the error, in its cause, or in the first challenge of WWW-Authenticate.
const withCause = (operation) => async (parameters) => {
  try {
    return await operation(parameters);
  } catch (error) {
    const { message, cause, status } = error;
    const told = [status, error.error, message, cause?.message, cause?.[0]?.parameters?.error];
    throw new Error(told.filter(Boolean).join(": "));
  }
};

serve(Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, withCause(operation)])));
