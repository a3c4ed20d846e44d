// An OpenID provider that nobody here wrote (oidc-provider), with one client and any account.
import Provider from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const audience = "https://algorithms.example/api";

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "register",
      client_secret: "a secret of the test alone, of a fair length",
      redirect_uris: [redirect],
      grant_types: ["authorization_code"],
    },
    {
      client_id: "records-program",
      client_secret: "another secret of the test, as long as that",
      redirect_uris: [],
      response_types: [],
      grant_types: ["client_credentials"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false,
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: "file",
        audience,
        accessTokenFormat: "jwt",
        accessTokenTTL: 600,
      }),
    },
  },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: `Account ${id}`,
      email: `${id}@sante.example`,
      email_verified: !id.startsWith("unverified"),
    }),
  }),
  cookies: { keys: ["a key of the test alone"] },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
