#include "agent/runtime/label_guard.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/fake_clock.h"

namespace agent {
namespace {

// One worker's guard for a job that makes the label `user` of its lines.
class GuardFixture {
 public:
  explicit GuardFixture(OnExcess on_excess, std::size_t limit = 3,
                        std::shared_ptr<JobLabelValues> values = std::make_shared<JobLabelValues>())
      : values_(std::move(values)), guard_({"job", limit, on_excess}, sets_, values_, logger_) {}

  // What becomes of an entry with these labels: `{a="1"} meta=x`.
  std::string Apply(const Labels& labels) {
    Block block(slots_, sets_);
    block.Reset(sets_.Intern(labels), nullptr);
    const EntryIndex entry = block.Add("line", 0, 0, 5);
    guard_.Apply(block, 1);
    std::string text = FormatLabels(sets_.Get(block.LabelsOf(entry)));
    for (const Metadata& pair : block.MetadataOf(entry))
      text += " " + std::string(pair.name) + "=" + std::string(pair.value);
    return text;
  }
  std::string User(const std::string& name) { return Apply({{"app", "web"}, {"user", name}}); }

  LabelValuesStatus Status(const std::string& label) {
    for (LabelValuesStatus& status : values_->Status()) {
      if (status.name == label) return status;
    }
    return {};
  }

  SlotTable slots_;
  LabelSets sets_;
  Logger logger_{-1, LogLevel::kError, LogFormat::kLogfmt};
  std::shared_ptr<JobLabelValues> values_;
  LabelGuard guard_;
};

TEST_CASE("label guard: by default it counts and changes nothing", "[label_guard]") {
  GuardFixture guard(OnExcess::kNone);
  for (const char* user : {"a", "b", "c", "d", "a", "e"})
    CHECK(guard.User(user) == std::string(R"({app="web", user=")") + user + "\"}");

  const LabelValuesStatus status = guard.Status("user");
  CHECK(status.values == 5);
  CHECK(status.exceeded == 2);
  CHECK(status.sample == "e");
  CHECK(guard.Status("app").values == 1);
  CHECK(guard.Status("app").exceeded == 0);
}

TEST_CASE("label guard: a set is counted once as long as it is known", "[label_guard]") {
  GuardFixture guard(OnExcess::kNone, /*limit=*/1);
  for (int i = 0; i < 10; ++i) {
    guard.User("a");
    guard.User("b");
  }
  CHECK(guard.Status("user").exceeded == 1);

  guard.sets_.Sweep();
  guard.User("b");

  CHECK(guard.Status("user").exceeded == 2);
  CHECK(guard.Status("user").values == 2);
}

TEST_CASE("label guard: new values move to structured metadata, old ones stay", "[label_guard]") {
  GuardFixture guard(OnExcess::kStructuredMetadata);
  for (const char* user : {"a", "b", "c"})
    guard.User(user);

  CHECK(guard.User("d") == R"({app="web"} user=d)");
  CHECK(guard.User("b") == R"({app="web", user="b"})");
  CHECK(guard.User("d") == R"({app="web"} user=d)");
}

TEST_CASE("label guard: new values are put into a fixed number of buckets", "[label_guard]") {
  GuardFixture guard(OnExcess::kBucket);
  for (const char* user : {"a", "b", "c"})
    guard.User(user);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i)
    seen.insert(guard.User("user-" + std::to_string(i)));

  CHECK(seen.size() == LabelGuard::kBuckets);
  CHECK(*seen.begin() == R"({app="web", user="bucket_00"})");
  CHECK(guard.User("user-1") == R"({app="web", user=")" + LabelGuard::BucketOf("user-1") + R"("})");
  CHECK(guard.User("c") == R"({app="web", user="c"})");
}

TEST_CASE("label guard: new values lose the label", "[label_guard]") {
  GuardFixture guard(OnExcess::kDropLabel, /*limit=*/1);

  CHECK(guard.User("a") == R"({app="web", user="a"})");
  CHECK(guard.User("b") == R"({app="web"})");
}

TEST_CASE("label guard: the last label of a stream is never taken away", "[label_guard]") {
  const auto on_excess = GENERATE(OnExcess::kStructuredMetadata, OnExcess::kDropLabel);
  GuardFixture guard(on_excess, /*limit=*/1);
  guard.Apply({{"user", "a"}});

  CHECK(guard.Apply({{"__tenant_id__", "t"}, {"user", "b"}}) ==
        R"({__tenant_id__="t", user=")" + LabelGuard::BucketOf("b") + R"("})");
}

TEST_CASE("label guard: what targets bring counts while they are there, and stays",
          "[label_guard]") {
  GuardFixture guard(OnExcess::kDropLabel, /*limit=*/2);
  auto first = guard.guard_.Hold({{"filename", "/1"}});
  auto second = guard.guard_.Hold({{"filename", "/2"}});
  auto third = guard.guard_.Hold({{"filename", "/3"}});
  auto again = guard.guard_.Hold({{"filename", "/3"}});

  CHECK(guard.Apply({{"filename", "/3"}, {"a", "1"}}) == R"({a="1", filename="/3"})");
  CHECK(guard.Apply({{"filename", "/4"}, {"a", "1"}}) == R"({a="1"})");
  CHECK(guard.Status("filename").from_targets == 3);
  CHECK(guard.Status("filename").values == 4);

  first.reset();
  second.reset();
  again.reset();

  CHECK(guard.Status("filename").from_targets == 1);
  CHECK(guard.Apply({{"filename", "/5"}, {"a", "1"}}) == R"({a="1", filename="/5"})");
}

TEST_CASE("label guard: labels that make no stream are not counted", "[label_guard]") {
  GuardFixture guard(OnExcess::kDropLabel, /*limit=*/1);
  for (const char* tenant : {"a", "b", "c"}) {
    CHECK(guard.Apply({{"__tenant_id__", tenant}, {"x", "1"}}) ==
          std::string(R"({__tenant_id__=")") + tenant + R"(", x="1"})");
  }
  CHECK(guard.values_->Status().size() == 1);
}

TEST_CASE("label guard: workers of a job, and a job after a reload, share the values",
          "[label_guard]") {
  GuardFixture first(OnExcess::kDropLabel);
  for (const char* user : {"a", "b", "c"})
    first.User(user);
  GuardFixture second(OnExcess::kDropLabel, /*limit=*/3, first.values_);

  CHECK(second.User("d") == R"({app="web"})");
  CHECK(second.User("b") == R"({app="web", user="b"})");

  GuardFixture with_more(OnExcess::kDropLabel, /*limit=*/4, first.values_);
  CHECK(with_more.User("d") == R"({app="web", user="d"})");
  CHECK(with_more.User("e") == R"({app="web"})");
}

TEST_CASE("label guard: many values are counted about, and a sample is cut", "[label_guard]") {
  GuardFixture guard(OnExcess::kNone, /*limit=*/1000);
  for (int i = 0; i < 20000; ++i)
    guard.User("user-" + std::to_string(i));
  guard.User(std::string(63, 'x') + "\xC3\xA9 and more");

  const LabelValuesStatus status = guard.Status("user");
  CHECK(static_cast<double>(status.values) == Approx(20001).epsilon(0.05));
  CHECK(status.exceeded == 19001);
  CHECK(status.sample == std::string(63, 'x') + "\xEF\xBF\xBD...");
}

TEST_CASE("label values: a job that is gone is forgotten", "[label_guard]") {
  LabelValues values;
  const auto kept = values.Of("a");
  values.Of("b");

  values.Keep({"a", "c"});

  CHECK(values.Find("a") == kept.get());
  CHECK(values.Find("b") == nullptr);
}

}  // namespace
}  // namespace agent
