// Paths with slashes, and URLs.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/template/functions.h"

namespace agent {
namespace {

std::string Clean(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !rooted) {
      parts.push_back(part);
    }
  }
  std::string clean = rooted ? "/" : "";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) clean += '/';
    clean += parts[i];
  }
  return clean.empty() ? "." : clean;
}

Datum Base(Call& call) {
  std::string_view path = call.Text(0);
  if (path.empty()) return Datum::String(".");
  while (path.ends_with('/'))
    path.remove_suffix(1);
  if (path.empty()) return Datum::String("/");
  return Datum::String(path.substr(path.rfind('/') + 1));  // From 0 when there is none.
}

Datum Dir(Call& call) {
  const std::string_view path = call.Text(0);
  return call.Keep(Clean(path.substr(0, path.rfind('/') + 1)));
}

Datum Ext(Call& call) {
  const std::string_view path = call.Text(0);
  const std::size_t mark = path.find_last_of("./");
  const bool has = mark != std::string_view::npos && path[mark] == '.';
  return Datum::String(has ? path.substr(mark) : "");
}

Datum CleanPath(Call& call) {
  return call.Keep(Clean(call.Text(0)));
}
Datum IsAbs(Call& call) {
  return Datum::Bool(call.Text(0).starts_with('/'));
}

// --- URLs.

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// nullopt: a percent sign without two digits.
std::optional<std::string> Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Escapes everything but letters, digits, "-_.~" and what `also` names.
std::string Escape(std::string_view text, std::string_view also) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    if (IsAlphanumeric(c) || std::string_view("-_.~").find(c) != std::string_view::npos ||
        also.find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += '%';
      escaped += kHex[byte >> 4];
      escaped += kHex[byte & 15];
    }
  }
  return escaped;
}

constexpr std::string_view kPathChars = "$&+,/:;=@";
constexpr std::string_view kUserChars = "$&+,;=";
constexpr std::string_view kFragmentChars = "$&+,/:;=?@!()*";

struct Url {
  std::string scheme;
  std::string opaque;
  std::string userinfo;
  std::string host;
  std::string path;
  std::string query;
  std::string fragment;
};

// The length of "https" in "https:…"; 0 when there is no scheme; nullopt when ':' comes first.
std::optional<std::size_t> SchemeLength(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool letter = IsAlphanumeric(c) && (c < '0' || c > '9');
    if (c == ':') return i == 0 ? std::nullopt : std::optional(i);
    const bool inner = i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.');
    if (!letter && !inner) return 0;
  }
  return 0;
}

bool IsGoodPort(std::string_view port) {
  return port.empty() ||
         (port[0] == ':' && port.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

bool ParseHost(std::string_view text, Url& url) {
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view info = text.substr(0, at);
    const std::size_t colon = info.find(':');
    const auto user = Unescape(info.substr(0, colon));
    if (!user) return false;
    url.userinfo = Escape(*user, kUserChars);
    if (colon != std::string_view::npos) {
      const auto password = Unescape(info.substr(colon + 1));
      if (!password) return false;
      url.userinfo += ":" + Escape(*password, kUserChars);
    }
    text.remove_prefix(at + 1);
  }
  if (text.find('[', 1) != std::string_view::npos) return false;
  const std::size_t close = text.starts_with('[') ? text.rfind(']') : 0;
  if (close == std::string_view::npos) return false;
  const std::size_t colon = close > 0 ? close + 1 : text.rfind(':');
  if (colon < text.size() && !IsGoodPort(text.substr(colon))) return false;
  const auto host = Unescape(text);
  if (!host || host->find(' ') != std::string::npos) return false;
  url.host = *host;
  return true;
}

// Cuts the fragment off the end; false when it is badly escaped.
bool TakeFragment(std::string_view& text, Url& url) {
  const std::size_t hash = text.find('#');
  if (hash == std::string_view::npos) return true;
  const auto fragment = Unescape(text.substr(hash + 1));
  if (!fragment) return false;
  url.fragment = *fragment;
  text = text.substr(0, hash);
  return true;
}

bool TakeScheme(std::string_view& text, Url& url) {
  const auto length = SchemeLength(text);
  if (!length) return false;
  if (*length == 0) return true;
  for (const char c : text.substr(0, *length)) {
    url.scheme += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  text.remove_prefix(*length + 1);
  return true;
}

// "a:b" without a slash before the colon.
bool LooksLikeScheme(std::string_view path) {
  return path.substr(0, path.find('/')).find(':') != std::string_view::npos;
}

// What is left between scheme and query.
bool ParseHostAndPath(std::string_view text, Url& url) {
  if (!text.starts_with('/')) {
    if (!url.scheme.empty()) {
      url.opaque = text;
      return true;
    }
    if (LooksLikeScheme(text)) return false;
  }
  if (text.starts_with("//") && (!url.scheme.empty() || !text.starts_with("///"))) {
    const std::size_t slash = std::min(text.find('/', 2), text.size());
    if (!ParseHost(text.substr(2, slash - 2), url)) return false;
    text.remove_prefix(slash);
  }
  const auto path = Unescape(text);
  if (path) url.path = *path;
  return path.has_value();
}

std::optional<Url> ParseUrl(std::string_view text) {
  Url url;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), is_control)) return std::nullopt;
  if (!TakeFragment(text, url) || !TakeScheme(text, url)) return std::nullopt;
  const std::size_t question = text.find('?');
  if (question != std::string_view::npos) {
    url.query = text.substr(question + 1);
    text = text.substr(0, question);
  }
  if (!ParseHostAndPath(text, url)) return std::nullopt;
  return url;
}

std::string HostWithoutPort(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.rfind(':'));
}

Datum UrlParse(Call& call) {
  const auto url = ParseUrl(call.Text(0));
  if (!url) return call.Fail("unable to parse url");
  DatumDict* dict = call.NewDict();
  dict->items = {
      {"fragment", call.Keep(url->fragment)},
      {"host", call.Keep(url->host)},
      {"hostname", call.Keep(HostWithoutPort(url->host))},
      {"opaque", call.Keep(url->opaque)},
      {"path", call.Keep(url->path)},
      {"query", call.Keep(url->query)},
      {"scheme", call.Keep(url->scheme)},
      {"userinfo", call.Keep(url->userinfo)},
  };
  return Datum::Dict(dict);
}

// "//user@host/path".
std::string JoinHostAndPath(const Url& url) {
  std::string text;
  const bool has_authority = !url.host.empty() || !url.userinfo.empty();
  if (has_authority || (!url.scheme.empty() && !url.path.empty())) text += "//";
  if (!url.userinfo.empty()) text += url.userinfo + "@";
  text += Escape(url.host, "$&+,;=:[]<>\"!'()*");
  const std::string path = Escape(url.path, kPathChars);
  if (!path.empty() && path[0] != '/' && !url.host.empty()) text += '/';
  if (text.empty() && url.scheme.empty() && LooksLikeScheme(path)) text += "./";
  return text + path;
}

std::string JoinUrl(const Url& url) {
  std::string text;
  if (!url.scheme.empty()) text += url.scheme + ":";
  text += url.opaque.empty() ? JoinHostAndPath(url) : url.opaque;
  if (!url.query.empty()) text += "?" + url.query;
  if (!url.fragment.empty()) text += "#" + Escape(url.fragment, kFragmentChars);
  return text;
}

Datum UrlJoin(Call& call) {
  Url url;
  struct Part {
    std::string_view name;
    std::string* value;
  };
  for (const Part& part :
       {Part{"scheme", &url.scheme}, Part{"host", &url.host}, Part{"path", &url.path},
        Part{"query", &url.query}, Part{"opaque", &url.opaque}, Part{"fragment", &url.fragment},
        Part{"userinfo", &url.userinfo}}) {
    const auto found = call[0].dict().items.find(part.name);
    if (found == call[0].dict().items.end()) continue;
    if (!found->second.is_string()) return call.Fail("the parts of a URL must be strings");
    *part.value = found->second.text();
  }
  if (!url.userinfo.empty()) {
    const auto parsed = ParseUrl("proto://" + url.userinfo + "@host");
    if (!parsed) return call.Fail("unable to parse userinfo in dict");
    url.userinfo = parsed->userinfo;
  }
  return call.Keep(JoinUrl(url));
}

constexpr TemplateFunction kFunctions[] = {
    {"base", "s", Base},         {"clean", "s", CleanPath}, {"dir", "s", Dir},
    {"ext", "s", Ext},           {"isAbs", "s", IsAbs},     {"osBase", "s", Base},
    {"osClean", "s", CleanPath}, {"osDir", "s", Dir},       {"osExt", "s", Ext},
    {"osIsAbs", "s", IsAbs},     {"urlJoin", "d", UrlJoin}, {"urlParse", "s", UrlParse},
};

}  // namespace

std::span<const TemplateFunction> PathFunctions() {
  return kFunctions;
}

}  // namespace agent
