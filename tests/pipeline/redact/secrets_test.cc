// Tokens here are made of two pieces, so that no scanner of repositories takes them for real ones.

#include <string>

#include "tests/pipeline/redact/marked.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent::redact {
namespace {

const std::string kHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";  // {"alg":"HS256","typ":"JWT"}
const std::string kPayload = "eyJzdWIiOiIxMjM0NTY3ODkwIn0";
const std::string kSignature = "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
const std::string kJwt = kHeader + "." + kPayload + "." + kSignature;
// {"alg":"dir","enc":"A128GCM"}
const std::string kEncryptedHeader = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0";

const std::string kTen = "0123456789";
const std::string kLetters = "abcdefghijABCDEFGHIJ";

TEST_CASE("jwt: signed, unsigned, encrypted and cut off ones", "[redact]") {
  CHECK(Wrong("jwt",
              {
                  {kJwt, "<jwt>"},
                  {"token=" + kJwt + ".", "token=<jwt>."},
                  {"\"" + kJwt + "\"", "\"<jwt>\""},
                  {kHeader + "." + kPayload, "<jwt>"},
                  {kHeader + "." + kPayload + ". Next", "<jwt>. Next"},
                  {kHeader + ".." + kSignature, "<jwt>"},
                  {kEncryptedHeader + "..aXY.Y2lwaGVy.dGFn", "<jwt>"},
                  {kEncryptedHeader + ".a2V5.aXY.Y2lwaGVy.dGFn.more", "<jwt>.more"},
                  {kJwt + "." + kSignature, "<jwt>." + kSignature},
              })
            .empty());
  CHECK(FoundIn("jwt",
                {
                    kHeader,
                    kHeader + "...",
                    kHeader + ".",
                    "x" + kJwt,
                    "eyJmb28iOiJiYXIifQ." + kPayload,  // {"foo":"bar"}: no "alg".
                    "eyJub3QganNvbg.abc.def",
                    "eyJhbGciOiJIUzI1NiJ.abc",  // Cut in the middle.
                    "eyJ.eyJ.eyJ",
                    "heyJude",
                })
            .empty());
}

TEST_CASE("bearer_token: behind the header's name or as a word of its own", "[redact]") {
  CHECK(Wrong("bearer_token",
              {
                  {"Authorization: Bearer mF_9.B5f-4.1JqM", "Authorization: Bearer <bearer_token>"},
                  {"authorization=bearer abcdefgh", "authorization=bearer <bearer_token>"},
                  {R"({"Authorization":"Bearer abcdefgh=="})",
                   R"({"Authorization":"Bearer <bearer_token>"})"},
                  {"Authorization:[Bearer abcdefgh]", "Authorization:[Bearer <bearer_token>]"},
                  {"sent bearer " + kTen + kTen, "sent bearer <bearer_token>"},
                  {"BEARER  " + kLetters + "1.", "BEARER  <bearer_token>."},
              })
            .empty());
  CHECK(FoundIn("bearer_token",
                {
                    "the bearer of bad news",
                    "bearer authentication-is-required-here",
                    "Authorization: Bearer null",
                    "Authorization: Bearer ",
                    "Authorization: Bearer <redacted:jwt>",
                    "forbearer " + kTen + kTen,
                    "bearer" + kTen + kTen,
                })
            .empty());
  // The detector that says more comes first.
  CHECK(Marked("Authorization: Bearer " + kJwt) == "Authorization: Bearer <jwt>");
}

TEST_CASE("basic_auth: base64 that has a colon inside", "[redact]") {
  CHECK(Wrong("basic_auth",
              {
                  {"Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
                   "Authorization: Basic <basic_auth>"},
                  {"'basic YTpi'", "'basic <basic_auth>'"},
              })
            .empty());
  CHECK(FoundIn("basic_auth",
                {
                    "Basic information about it",
                    "basic QWxhZGRpbg==",  // No colon.
                    "Basic realm=\"x\"",
                    "Basic AAA6",  // Not printable.
                    "basic ",
                })
            .empty());
}

TEST_CASE("aws: access keys by their form, secret keys by their name", "[redact]") {
  CHECK(Wrong("aws_access_key",
              {
                  {"AKIAIOSFODNN7EXAMPLE", "<aws_access_key>"},
                  {"id=ASIAIOSFODNN7EXAMPLE,", "id=<aws_access_key>,"},
                  {"KEY_AKIAIOSFODNN7EXAMPLE", "KEY_<aws_access_key>"},
              })
            .empty());
  CHECK(FoundIn("aws_access_key",
                {
                    "AKIAIOSFODNN7EXAMPL",
                    "AKIAIOSFODNN7EXAMPLES",
                    "AKIAIOSFODNN1EXAMPLE",
                    "AKIAiosfodnn7example",
                    "XAKIAIOSFODNN7EXAMPLE",
                    "AKIA",
                })
            .empty());
  const std::string secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  CHECK(
      Wrong("aws_secret_key",
            {
                {"aws_secret_access_key=" + secret, "aws_secret_access_key=<aws_secret_key>"},
                {"AWS_SECRET_ACCESS_KEY: '" + secret + "'",
                 "AWS_SECRET_ACCESS_KEY: '<aws_secret_key>'"},
                {R"({"SecretAccessKey" : ")" + secret + "\"}",
                 R"({"SecretAccessKey" : "<aws_secret_key>"})"},
                {R"(\"secretKey\":\")" + secret + R"(\")", R"(\"secretKey\":\"<aws_secret_key>\")"},
            })
          .empty());
  CHECK(FoundIn("aws_secret_key",
                {
                    secret,
                    "aws_secret_access_key=" + secret + "A",
                    "aws_secret_access_key=" + secret.substr(1),
                    "aws_secret_access_key" + secret,
                    "access_key=" + secret,
                    "the secret_key",
                })
            .empty());
}

TEST_CASE("gcp_key and azure_key: each of their forms", "[redact]") {
  CHECK(Wrong("gcp_key",
              {
                  {"key=AIza"
                   "SyA-" +
                       kTen + "_" + kLetters + "&x",
                   "key=<gcp_key>&x"},
                  {"GOCSPX"
                   "-" +
                       kTen + kTen + "abcdefgh",
                   "<gcp_key>"},
                  {"ya29"
                   ".a0Af" +
                       kTen + "_" + kLetters + ".",
                   "<gcp_key>."},
              })
            .empty());
  CHECK(FoundIn("gcp_key",
                {
                    "AIza" + kTen,
                    "AIza"
                    "SyA-" +
                        kTen + "_" + kLetters + "x",
                    "xAIza"
                    "SyA-" +
                        kTen + "_" + kLetters,
                    "GOCSPX-short",
                    "ya29.short",
                })
            .empty());
  const std::string half = kTen + kLetters + "+/ABCDEFGHIJK";  // 43 characters.
  REQUIRE(half.size() == 43);
  CHECK(Wrong("azure_key",
              {
                  {"AccountKey=" + half + half + "==;End", "AccountKey=<azure_key>;End"},
                  {"SharedAccessKey=" + half + "=", "SharedAccessKey=<azure_key>"},
                  {"?se=x&sig=" + half + "%3D&sp=r", "?se=x&sig=<azure_key>&sp=r"},
                  {"?sig=" + kTen + kLetters + "%2B%2FABCDEFGHIJK%3d", "?sig=<azure_key>"},
                  {"secret=abc8Q~" + kTen + kLetters + "x;", "secret=<azure_key>;"},
              })
            .empty());
  CHECK(FoundIn("azure_key",
                {
                    "AccountKey=" + half,
                    "AccountKey=" + half + half,
                    "sig=" + half + "=",
                    "?sig=" + half,
                    "?sig=" + kTen + "%3D",
                    "?sig=" + half + "%3Dx",
                    "abc8Q~" + kTen,
                    "abcxQ~" + kTen + kLetters + "x",
                    "Q~",
                })
            .empty());
}

TEST_CASE("tokens of services: found by how they begin, when they are long enough", "[redact]") {
  const std::string forty = kTen + kLetters + kTen;
  struct Case {
    std::string detector;
    std::string token;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"github_token", "ghp_" + forty.substr(0, 36)},
      {"github_token", "ghs_" + forty},
      {"github_token", "github_pat_" + forty + forty.substr(0, 22) + "_" + forty.substr(0, 19)},
      {"gitlab_token", "glpat-" + forty.substr(0, 20)},
      {"gitlab_token", "glrt-" + forty.substr(0, 20)},
      {"slack_token", "xoxb-" + kTen + "-" + kTen + "-" + kLetters},
      {"slack_token", "xapp-1-A" + kTen + "-" + kTen + "-abcdef"},
      {"stripe_key",
       "sk_"
       "live_" +
           kTen + kLetters},
      {"stripe_key",
       "rk_"
       "test_" +
           kTen + kLetters},
      {"npm_token", "npm_" + forty.substr(0, 36)},
      {"pypi_token", "pypi-AgEIcHlwaS5vcmc" + forty + forty},
      {"sendgrid_key", "SG." + forty.substr(0, 22) + "." + forty + "abc"},
      {"digitalocean_token", "dop_v1_" + std::string(64, 'a')},
      {"vault_token", "hvs." + forty},
      {"openai_key", "sk-proj-" + forty},
      {"anthropic_key", "sk-ant-api03-" + forty},
  }));
  const std::string name = "<" + c.detector + ">";
  INFO(c.token);

  CHECK(Wrong(c.detector,
              {
                  {c.token, name},
                  {"x=" + c.token + ", y", "x=" + name + ", y"},
                  {"(" + c.token + ").", "(" + name + ")."},
                  {"_" + c.token + "\"", "_" + name + "\""},
                  {"x" + c.token, "x" + c.token},
                  {c.token.substr(0, 12), c.token.substr(0, 12)},
              })
            .empty());
}

TEST_CASE("tokens of services: near misses stay, and a hook's host does too", "[redact]") {
  CHECK(FoundIn("github_token", {"ghp_" + kTen, "github_pat_" + kTen,
                                 "ghp_" + std::string(300, 'a'), "higher_than"})
            .empty());
  CHECK(FoundIn("npm_token", {"npm_config_registry", "npm_" + std::string(37, 'a')}).empty());
  CHECK(FoundIn("stripe_key", {"task_list_of_things", "sk_live_short"}).empty());
  CHECK(FoundIn("openai_key", {"risk-project", "sk-proj-short"}).empty());
  CHECK(Marked("'xoxe.xoxp-1-" + kTen + kLetters + "'", {"slack_token"}) == "'<slack_token>'");
  CHECK(Marked("https://hooks.slack.com/services/T" + kTen + "/B" + kTen + "/abcdef",
               {"slack_token"}) == "https://hooks.slack.com/services/<slack_token>");
}

TEST_CASE("private_key: from dash to dash, escaped or not, whole or cut off", "[redact]") {
  const std::string begin =
      "-----BEGIN "
      "RSA PRIVATE KEY-----";
  const std::string end = "-----END RSA PRIVATE KEY-----";
  const std::string body = "MIIEpAIBAAKCAQEA0123456789+/abc";
  CHECK(Wrong("private_key",
              {
                  {begin + "\n" + body + "\n" + end, "<private_key>"},
                  {"key: \"" + begin + "\\n" + body + "\\n" + end + "\\n\"",
                   "key: \"<private_key>\\n\""},
                  {begin + "\nProc-Type: 4,ENCRYPTED\n\n" + body + "\n" + end + " x",
                   "<private_key> x"},
                  {"-----BEGIN "
                   "PGP PRIVATE KEY BLOCK-----\n" +
                       body + "\n-----END PGP PRIVATE KEY BLOCK-----",
                   "<private_key>"},
                  {begin + "\\n" + body + "\\n" + body, "<private_key>"},
                  {begin + "\\n" + body + "\" trailing", "<private_key>\" trailing"},
                  {begin + "\n" + body + "\n" + end + begin + "\n" + body + "\n" + end,
                   "<private_key><private_key>"},
              })
            .empty());
  CHECK(FoundIn("private_key",
                {
                    begin,
                    begin + ", expected",
                    "-----BEGIN CERTIFICATE-----\n" + body,
                    "-----BEGIN PUBLIC KEY-----\n" + body,
                    "-----BEGIN PRIVATE KEY---\n" + body,
                    "-----BEGIN ",
                    end,
                })
            .empty());
}

}  // namespace
}  // namespace agent::redact
