#include "discovery/docker/docker_objects.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>

#include <simdjson.h>

#include "base/clock.h"

namespace agent {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// An object's text; empty when it is absent or something else.
std::string Text(const object& from, std::string_view key) {
  std::string_view text;
  return from[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

bool Flag(const object& from, std::string_view key) {
  bool flag = false;
  return from[key].get(flag) == simdjson::SUCCESS && flag;
}

// Absent and null are an empty one.
object Object(const object& from, std::string_view key) {
  object inner;
  return from[key].get(inner) == simdjson::SUCCESS ? inner : object();
}

bool Has(const object& from, std::string_view key) {
  object inner;
  return from[key].get(inner) == simdjson::SUCCESS;
}

Pairs ReadLabels(const object& from, std::string_view key) {
  Pairs labels;
  if (!Has(from, key)) return labels;
  for (const auto& field : Object(from, key)) {
    std::string_view value;
    if (field.value.get(value) == simdjson::SUCCESS) labels.emplace_back(field.key, value);
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

std::vector<DockerNetworkUse> ReadNetworks(const object& settings) {
  std::vector<DockerNetworkUse> networks;
  if (!Has(settings, "Networks")) return networks;
  for (const auto& field : Object(settings, "Networks")) {
    object network;
    if (field.value.get(network) != simdjson::SUCCESS) continue;
    networks.push_back(
        {std::string(field.key), Text(network, "NetworkID"), Text(network, "IPAddress")});
  }
  std::sort(networks.begin(), networks.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return networks;
}

std::optional<uint16_t> PortNumber(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

// "80/tcp": null, or a list of places where it is published.
void ReadPort(std::string_view name, const element& value, std::vector<DockerPort>& ports) {
  if (!name.ends_with("/tcp")) return;
  const std::optional<uint16_t> number = PortNumber(name.substr(0, name.size() - 4));
  if (!number) return;
  simdjson::dom::array places;
  bool published = false;
  if (value.get(places) == simdjson::SUCCESS) {
    for (const element& item : places) {
      object place;
      if (item.get(place) != simdjson::SUCCESS) continue;
      const std::optional<uint16_t> host_port = PortNumber(Text(place, "HostPort"));
      ports.push_back({*number, host_port.value_or(0), Text(place, "HostIp")});
      published = true;
    }
  }
  if (!published) ports.push_back({*number, 0, {}});
}

std::vector<DockerPort> ReadPorts(const object& settings) {
  std::vector<DockerPort> ports;
  if (!Has(settings, "Ports")) return ports;
  for (const auto& field : Object(settings, "Ports"))
    ReadPort(field.key, field.value, ports);
  std::stable_sort(ports.begin(), ports.end(),
                   [](const auto& a, const auto& b) { return a.private_port < b.private_port; });
  return ports;
}

// "2026-05-04T09:12:03.418Z", always in UTC; whole seconds will do. 0 for the year 1: never.
int64_t TimeOf(const std::string& text) {
  std::tm time{};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return 0;
  const time_t seconds = ::timegm(&time);
  return seconds <= 0 ? 0 : static_cast<int64_t>(seconds) * kNanosPerSecond;
}

// FNV-1a.
void Mix(std::string_view text, uint64_t& hash) {
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash = (hash ^ 0xffU) * 0x100000001b3U;
}

Error Unexpected(std::string_view what, simdjson::error_code code) {
  std::string message = "Docker's answer is not understood: ";
  message += what;
  if (code != simdjson::SUCCESS) {
    message += ": ";
    message += simdjson::error_message(code);
  }
  return {ErrorCode::kInvalid, std::move(message)};
}

// The parser owns what the element points to.
template <typename T>
simdjson::error_code Parse(simdjson::dom::parser& parser, std::string_view json, T& value) {
  return parser.parse(json.data(), json.size(), /*realloc_if_needed=*/true).get(value);
}

}  // namespace

Result<DockerContainer> ParseDockerContainer(std::string_view json) {
  simdjson::dom::parser parser;
  object whole;
  const auto code = Parse(parser, json, whole);
  if (code != simdjson::SUCCESS) return Unexpected("a container", code);
  DockerContainer container;
  container.id = Text(whole, "Id");
  if (container.id.empty()) return Unexpected("a container without an id", simdjson::SUCCESS);
  container.name = Text(whole, "Name");
  container.log_path = Text(whole, "LogPath");
  if (Has(whole, "HostConfig")) {
    const object host = Object(whole, "HostConfig");
    container.network_mode = Text(host, "NetworkMode");
    if (Has(host, "LogConfig")) container.log_driver = Text(Object(host, "LogConfig"), "Type");
  }
  if (Has(whole, "Config")) {
    const object config = Object(whole, "Config");
    container.labels = ReadLabels(config, "Labels");
    container.tty = Flag(config, "Tty");
  }
  if (Has(whole, "NetworkSettings")) {
    const object settings = Object(whole, "NetworkSettings");
    container.networks = ReadNetworks(settings);
    container.ports = ReadPorts(settings);
  }
  if (Has(whole, "State")) {
    const object state = Object(whole, "State");
    container.status = Text(state, "Status");
    container.finished_ns = TimeOf(Text(state, "FinishedAt"));
  }
  return container;
}

Result<std::vector<DockerListed>> ParseDockerList(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::array rows;
  const auto code = Parse(parser, json, rows);
  if (code != simdjson::SUCCESS) return Unexpected("the list of containers", code);
  std::vector<DockerListed> listed;
  for (const element& item : rows) {
    object row;
    if (item.get(row) != simdjson::SUCCESS) continue;
    DockerListed one{Text(row, "Id"), 0xcbf29ce484222325U};
    if (one.id.empty()) continue;
    Mix(Text(row, "State"), one.fingerprint);
    for (const std::string_view key : {"Names", "Ports", "NetworkSettings"}) {
      element part;
      if (row[key].get(part) == simdjson::SUCCESS) Mix(simdjson::minify(part), one.fingerprint);
    }
    listed.push_back(std::move(one));
  }
  return listed;
}

Result<DockerNetworks> ParseDockerNetworks(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::array rows;
  const auto code = Parse(parser, json, rows);
  if (code != simdjson::SUCCESS) return Unexpected("the list of networks", code);
  DockerNetworks networks;
  for (const element& item : rows) {
    object row;
    if (item.get(row) != simdjson::SUCCESS) continue;
    DockerNetwork network;
    network.id = Text(row, "Id");
    network.name = Text(row, "Name");
    network.scope = Text(row, "Scope");
    network.internal = Flag(row, "Internal");
    network.ingress = Flag(row, "Ingress");
    network.labels = ReadLabels(row, "Labels");
    networks[network.id] = std::move(network);
  }
  return networks;
}

Result<DockerEvent> ParseDockerEvent(std::string_view json) {
  simdjson::dom::parser parser;
  object whole;
  const auto code = Parse(parser, json, whole);
  if (code != simdjson::SUCCESS) return Unexpected("an event", code);
  DockerEvent event{Text(whole, "Type"), Text(whole, "Action"), {}, {}, {}};
  if (!Has(whole, "Actor")) return event;
  const object actor = Object(whole, "Actor");
  if (event.type == "container") {
    event.container_id = Text(actor, "ID");
    event.labels = ReadLabels(actor, "Attributes");
    std::erase_if(event.labels, [&event](const auto& attribute) {
      if (attribute.first == "name") event.name = "/" + attribute.second;
      return attribute.first == "name" || attribute.first == "image";
    });
  } else if (Has(actor, "Attributes")) {
    event.container_id = Text(Object(actor, "Attributes"), "container");
  }
  return event;
}

Result<std::string> ParseDockerRoot(std::string_view json) {
  simdjson::dom::parser parser;
  object whole;
  const auto code = Parse(parser, json, whole);
  if (code != simdjson::SUCCESS) return Unexpected("the daemon's information", code);
  return Text(whole, "DockerRootDir");
}

}  // namespace agent
