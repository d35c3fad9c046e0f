// Tokens that a service marks with a beginning of its own, so that they can be found: GitHub,
// GitLab, Slack, Stripe and others. A rule is the beginning, what follows, and how much of it.

#include <array>

#include "pipeline/redact/chars.h"
#include "pipeline/redact/detector.h"

namespace agent::redact {
namespace {

constexpr std::size_t kMax = 255;
constexpr uint16_t kWord = kAlnum;  // With `_`, where a rule's `extra` says so.

struct Rule {
  std::string_view prefix;
  uint16_t classes = kWord;
  std::string_view extra{};  // Further characters.
  std::size_t min = 0;       // Behind the prefix.
  std::size_t max = kMax;
  bool keeps_prefix = false;  // The prefix says where, and is no secret: a part of a URL.
};

constexpr std::array<Rule, 36> kRules = {{
    {.prefix = "ghp_", .min = 36},
    {.prefix = "gho_", .min = 36},
    {.prefix = "ghu_", .min = 36},
    {.prefix = "ghs_", .min = 36},
    {.prefix = "ghr_", .min = 36},
    {.prefix = "github_pat_", .extra = "_", .min = 82, .max = 82},
    {.prefix = "glpat-", .classes = kBase64Url, .extra = ".", .min = 20},
    {.prefix = "gldt-", .classes = kBase64Url, .min = 20},
    {.prefix = "glrt-", .classes = kBase64Url, .extra = ".", .min = 20},
    {.prefix = "glptt-", .classes = kBase64Url, .min = 20},
    {.prefix = "glcbt-", .classes = kBase64Url, .min = 20},
    {.prefix = "xoxb-", .extra = "-", .min = 24},
    {.prefix = "xoxp-", .extra = "-", .min = 24},
    {.prefix = "xoxa-", .extra = "-", .min = 24},
    {.prefix = "xoxr-", .extra = "-", .min = 24},
    {.prefix = "xoxs-", .extra = "-", .min = 24},
    {.prefix = "xoxe-", .extra = "-", .min = 24},
    {.prefix = "xoxe.xox", .extra = "-", .min = 24},
    {.prefix = "xapp-", .extra = "-", .min = 24},
    {.prefix = "hooks.slack.com/services/", .extra = "/", .min = 20, .keeps_prefix = true},
    {.prefix = "hooks.slack.com/workflows/", .extra = "/", .min = 20, .keeps_prefix = true},
    {.prefix = "sk_live_", .min = 16},
    {.prefix = "rk_live_", .min = 16},
    {.prefix = "sk_test_", .min = 16},
    {.prefix = "rk_test_", .min = 16},
    {.prefix = "npm_", .min = 36, .max = 36},
    {.prefix = "pypi-AgEIcHlwaS5vcmc", .classes = kBase64Url, .min = 50, .max = 1000},
    {.prefix = "SG.", .classes = kBase64Url, .extra = ".", .min = 66, .max = 66},
    {.prefix = "dop_v1_", .classes = kHex, .min = 64, .max = 64},
    {.prefix = "doo_v1_", .classes = kHex, .min = 64, .max = 64},
    {.prefix = "dor_v1_", .classes = kHex, .min = 64, .max = 64},
    {.prefix = "hvs.", .classes = kBase64Url, .min = 24},
    {.prefix = "hvb.", .classes = kBase64Url, .min = 24, .max = 1000},
    {.prefix = "sk-proj-", .classes = kBase64Url, .min = 20},
    {.prefix = "sk-svcacct-", .classes = kBase64Url, .min = 20},
    {.prefix = "sk-ant-", .classes = kBase64Url, .min = 20},
}};

bool Fits(std::string_view text, std::size_t at, const Rule& rule) {
  if (at >= text.size()) return false;
  return Is(text[at], rule.classes) || rule.extra.find(text[at]) != std::string_view::npos;
}

std::optional<Found> FindByRule(std::string_view text, std::size_t at, const Rule& rule) {
  const std::size_t begin = at + rule.prefix.size();
  std::size_t end = begin;
  while (end - begin <= rule.max && Fits(text, end, rule))
    ++end;
  if (end - begin > rule.max) return std::nullopt;
  // What may stand inside does not end a token, but a sentence or a list.
  while (end > begin && (text[end - 1] == '.' || text[end - 1] == '/'))
    --end;
  if (end - begin < rule.min || IsAt(text, end, kAlnum)) return std::nullopt;
  return Found{rule.keeps_prefix ? begin : at, end};
}

std::optional<Found> FindServiceToken(std::string_view text, std::size_t at) {
  if (IsBefore(text, at, kAlnum)) return std::nullopt;
  const std::string_view rest = text.substr(at);
  for (const Rule& rule : kRules) {
    if (rest.starts_with(rule.prefix)) return FindByRule(text, at, rule);
  }
  return std::nullopt;
}

constexpr std::array<Trigger, 6> kGithubTriggers = {{
    {.literal = "ghp_", .rare_at = 1},
    {.literal = "gho_", .rare_at = 1},
    {.literal = "ghu_", .rare_at = 1},
    {.literal = "ghs_", .rare_at = 1},
    {.literal = "ghr_", .rare_at = 1},
    {.literal = "github_pat_", .rare_at = 5},
}};
constexpr std::array<Trigger, 5> kGitlabTriggers = {{
    {.literal = "glpat-", .rare_at = 0},
    {.literal = "gldt-", .rare_at = 0},
    {.literal = "glrt-", .rare_at = 0},
    {.literal = "glptt-", .rare_at = 0},
    {.literal = "glcbt-", .rare_at = 0},
}};
constexpr std::array<Trigger, 10> kSlackTriggers = {{
    {.literal = "xoxb-", .rare_at = 2},
    {.literal = "xoxp-", .rare_at = 2},
    {.literal = "xoxa-", .rare_at = 2},
    {.literal = "xoxr-", .rare_at = 2},
    {.literal = "xoxs-", .rare_at = 2},
    {.literal = "xoxe-", .rare_at = 2},
    {.literal = "xoxe.xox", .rare_at = 4},
    {.literal = "xapp-", .rare_at = 0},
    {.literal = "hooks.slack.com/services/", .rare_at = 14},
    {.literal = "hooks.slack.com/workflows/", .rare_at = 14},
}};
constexpr std::array<Trigger, 4> kStripeTriggers = {{
    {.literal = "sk_live_", .rare_at = 1},
    {.literal = "rk_live_", .rare_at = 1},
    {.literal = "sk_test_", .rare_at = 1},
    {.literal = "rk_test_", .rare_at = 1},
}};
constexpr std::array<Trigger, 1> kNpmTriggers = {{{.literal = "npm_", .rare_at = 1}}};
constexpr std::array<Trigger, 1> kPypiTriggers = {
    {{.literal = "pypi-AgEIcHlwaS5vcmc", .rare_at = 5}}};
constexpr std::array<Trigger, 1> kSendgridTriggers = {{{.literal = "SG."}}};
constexpr std::array<Trigger, 3> kDigitalOceanTriggers = {{
    {.literal = "dop_v1_", .rare_at = 3},
    {.literal = "doo_v1_", .rare_at = 3},
    {.literal = "dor_v1_", .rare_at = 3},
}};
constexpr std::array<Trigger, 2> kVaultTriggers = {{
    {.literal = "hvs.", .rare_at = 0},
    {.literal = "hvb.", .rare_at = 0},
}};
constexpr std::array<Trigger, 2> kOpenaiTriggers = {{
    {.literal = "sk-proj-", .rare_at = 5},
    {.literal = "sk-svcacct-", .rare_at = 7},
}};
constexpr std::array<Trigger, 1> kAnthropicTriggers = {{{.literal = "sk-ant-", .rare_at = 1}}};

constexpr Detector ByPrefix(std::string_view name, std::span<const Trigger> triggers,
                            std::string_view example) {
  return {.name = name,
          .is_default = true,
          .triggers = triggers,
          .find = FindServiceToken,
          .normalize = AppendAsItIs,
          .example = example};
}

// The examples are put together so that no scanner of repositories takes them for real ones.
constexpr std::array<Detector, 11> kDetectors = {{
    ByPrefix("github_token", kGithubTriggers,
             "ghp_"
             "0123456789abcdefghijABCDEFGHIJ012345"),
    ByPrefix("gitlab_token", kGitlabTriggers,
             "glpat-"
             "0123456789abcdefghij"),
    ByPrefix("slack_token", kSlackTriggers,
             "xoxb-"
             "123456789012-abcdefghijklmnop"),
    ByPrefix("stripe_key", kStripeTriggers,
             "sk_test_"
             "0123456789abcdefghijABCD"),
    ByPrefix("npm_token", kNpmTriggers,
             "npm_"
             "0123456789abcdefghijABCDEFGHIJ012345"),
    ByPrefix("pypi_token", kPypiTriggers,
             "pypi-AgEIcHlwaS5vcmc"
             "0123456789abcdefghijABCDEFGHIJ0123456789abcdefghij"),
    ByPrefix("sendgrid_key", kSendgridTriggers,
             "SG."
             "0123456789abcdefghijAB.0123456789abcdefghijABCDEFGHIJ0123456789abc"),
    ByPrefix("digitalocean_token", kDigitalOceanTriggers,
             "dop_v1_"
             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    ByPrefix("vault_token", kVaultTriggers,
             "hvs."
             "0123456789abcdefghijABCD"),
    ByPrefix("openai_key", kOpenaiTriggers,
             "sk-proj-"
             "0123456789abcdefghijABCD"),
    ByPrefix("anthropic_key", kAnthropicTriggers,
             "sk-ant-"
             "api03-0123456789abcdefghijABCD"),
}};

}  // namespace

std::span<const Detector> ServiceTokenDetectors() {
  return kDetectors;
}

}  // namespace agent::redact
