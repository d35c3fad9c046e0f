#include "discovery/kubernetes/parse.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

constexpr const char* kPod = R"({
  "metadata": {"name": "web-1", "namespace": "shop", "uid": "u-1", "resourceVersion": "7",
    "labels": {"app": "web", "app.kubernetes.io/name": "shop"},
    "annotations": {"note": "a\nb"},
    "ownerReferences": [{"kind": "Job", "name": "no", "controller": false},
                        {"kind": "ReplicaSet", "name": "web-6d4cf56db6", "controller": true}]},
  "spec": {"nodeName": "node-1",
    "containers": [{"name": "main", "image": "web:1", "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}]}],
    "initContainers": [{"name": "prepare", "image": "busybox"}],
    "ephemeralContainers": [{"name": "debug", "image": "busybox"}]},
  "status": {"podIP": "10.0.0.7", "hostIP": "192.168.1.5", "phase": "Running",
    "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "False"}],
    "containerStatuses": [{"name": "main", "containerID": "containerd://1"}],
    "initContainerStatuses": [{"name": "prepare", "containerID": "containerd://2"}]}})";

std::string List(const std::string& items) {
  return R"({"kind":"PodList","metadata":{"resourceVersion":"12","continue":"n"},"items":)" +
         items + "}";
}

}  // namespace

TEST_CASE("kubernetes: a list of pods is read", "[kubernetes]") {
  KubeParser parser;

  const Result<KubeListPage> page =
      parser.ParseList(KubeKind::kPod, List("[" + std::string(kPod) + "]"));

  REQUIRE(page.ok());
  CHECK(page->resource_version == "12");
  CHECK(page->next == "n");
  REQUIRE(page->objects.size() == 1);
  const KubeObject& object = page->objects[0];
  CHECK(object.name == "web-1");
  CHECK(object.ns == "shop");
  CHECK(object.controller_name == "web-6d4cf56db6");
  CHECK(*object.Annotation("note") == "a\nb");
  CHECK(object.Annotation("other") == nullptr);
  const auto& pod = std::get<KubePod>(object.body);
  CHECK(pod.ready == "false");
  REQUIRE(pod.containers.size() == 3);
  CHECK(pod.containers[0].id == "containerd://1");
  CHECK(pod.containers[0].ports[0].number == 80);
  CHECK(pod.containers[1].role == KubeContainer::Role::kInit);
  CHECK(pod.containers[1].id == "containerd://2");
  CHECK(pod.containers[2].role == KubeContainer::Role::kEphemeral);
}

TEST_CASE("kubernetes: a list of nothing, and what is no list", "[kubernetes]") {
  KubeParser parser;
  CHECK(parser.ParseList(KubeKind::kPod, List("null"))->objects.empty());
  CHECK(parser.ParseList(KubeKind::kPod, List("[]"))->objects.empty());
  for (const char* text : {"", "{}", "[]", "null", "<html>", "{\"items\": 3}", "{\"items\": ["}) {
    INFO(text);
    CHECK(!parser.ParseList(KubeKind::kPod, text).ok());
  }
}

TEST_CASE("kubernetes: items that are nonsense are left out, the others taken", "[kubernetes]") {
  KubeParser parser;
  const std::string items =
      std::string("[3, null, {}, {\"metadata\": 7}, {\"metadata\": {\"name\": \"\"}},") +
      R"({"metadata": {"name": 5}}, {"metadata": {"name": "a"}, "spec": [], "status": 3},)" + kPod +
      "]";

  const Result<KubeListPage> page = parser.ParseList(KubeKind::kPod, List(items));

  REQUIRE(page.ok());
  CHECK(page->ignored == 6);
  REQUIRE(page->objects.size() == 2);
  CHECK(std::get<KubePod>(page->objects[0].body).containers.empty());
}

TEST_CASE("kubernetes: bytes that are no UTF-8 become U+FFFD, as in Go", "[kubernetes]") {
  KubeParser parser;
  const auto page = parser.ParseList(
      KubeKind::kPod,
      List("[{\"metadata\": {\"name\": \"a\xff\xfe\", \"labels\": {\"k\": \"\x80\"}}}]"));
  REQUIRE(page.ok());
  CHECK(page->objects[0].name == "a\uFFFD\uFFFD");
  CHECK(page->objects[0].labels[0].second == "\uFFFD");
}

TEST_CASE("kubernetes: what is too much of an object is cut away", "[kubernetes]") {
  KubeParser parser;
  std::string labels;
  for (int i = 0; i < 2000; ++i)
    labels += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"v\"";
  const std::string big(KubeParser::kMaxValueBytes * 2, 'x');
  const auto page = parser.ParseList(KubeKind::kPod, List("[{\"metadata\": {\"name\": \"" + big +
                                                          "\", \"labels\": {" + labels + "}}}]"));
  REQUIRE(page.ok());
  CHECK(page->objects[0].labels.size() == KubeParser::kMaxPairs);
  CHECK(page->objects[0].name.size() == KubeParser::kMaxValueBytes);
}

TEST_CASE("kubernetes: nesting without end is refused", "[kubernetes]") {
  KubeParser parser;
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  CHECK(!parser.ParseList(KubeKind::kPod, List("[{\"metadata\": " + deep + "}]")).ok());
  CHECK(parser.ParseList(KubeKind::kPod, List("[]")).ok());
}

TEST_CASE("kubernetes: events of a watch", "[kubernetes]") {
  KubeParser parser;

  const auto added =
      parser.ParseEvent(KubeKind::kPod, R"({"type":"ADDED","object":)" + std::string(kPod) + "}");
  REQUIRE(added.ok());
  CHECK(added->type == KubeEventType::kAdded);
  CHECK(added->object.resource_version == "7");

  const auto bookmark = parser.ParseEvent(
      KubeKind::kPod,
      R"({"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"99"}}})");
  REQUIRE(bookmark.ok());
  CHECK(bookmark->type == KubeEventType::kBookmark);
  CHECK(bookmark->object.resource_version == "99");

  const auto error = parser.ParseEvent(
      KubeKind::kPod,
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}})");
  REQUIRE(error.ok());
  CHECK(error->code == 410);
  CHECK(error->message == "too old");

  for (const char* text :
       {"{\"type\":\"ADDED\",\"obj", "{\"type\":\"NEW\",\"object\":{}}", "{}", "7",
        "{\"type\":\"ADDED\",\"object\":{}}", "{\"type\":\"DELETED\",\"object\":null}"}) {
    INFO(text);
    CHECK(!parser.ParseEvent(KubeKind::kPod, text).ok());
  }
  CHECK(parser.StatusMessage(R"({"kind":"Status","message":"no"})") == "no");
  CHECK(parser.StatusMessage("<html>").empty());
}

TEST_CASE("kubernetes: a watch comes in pieces of any size", "[kubernetes]") {
  const std::string stream = "first\n\nsecond\nthird";
  const auto piece = GENERATE(1U, 2U, 3U, 7U, 100U);
  KubeLines lines;
  std::vector<std::string> got;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    CHECK(lines.Feed(std::string_view(stream).substr(at, piece), [&got](std::string_view line) {
      got.emplace_back(line);
      return true;
    }));
  }
  CHECK(got == std::vector<std::string>{"first", "second"});
  CHECK(lines.has_rest());
}

TEST_CASE("kubernetes: an event that never ends is given up", "[kubernetes]") {
  KubeLines lines;
  const std::string piece(1 << 20, 'x');
  int pieces = 0;
  while (pieces < 1000 && lines.Feed(piece, [](std::string_view) { return true; }))
    ++pieces;
  CHECK(pieces == KubeLines::kMaxLineBytes >> 20U);
}

}  // namespace agent
