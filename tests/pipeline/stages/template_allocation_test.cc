// The forms of templates that most configurations use take no memory of their own per line. A test
// program by itself: it counts every allocation.

#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "tests/pipeline/stages/line_runner.h"

// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace {

std::size_t g_allocations = 0;

void* Allocate(std::size_t size) {
  ++g_allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
  return Allocate(size);
}
void* operator new[](std::size_t size) {
  return Allocate(size);
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  ++g_allocations;
  return std::malloc(size);
}
void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  ++g_allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

namespace agent {
namespace {

constexpr std::size_t kLines = 500;

// Fills the pipeline's block with the lines, and runs it; how many allocations running took.
std::size_t AllocationsOf(Pipeline& pipeline, LabelSetId labels,
                          const std::vector<std::string>& lines) {
  Block& block = pipeline.block();
  block.Reset(labels, nullptr);
  for (const std::string& line : lines) {
    const std::string_view text(line.data(), line.size() - kTextPadding);
    block.Add(text, 1, 0, static_cast<uint32_t>(text.size() + 1));
  }
  const std::size_t before = g_allocations;
  pipeline.Run();
  return g_allocations - before;
}

}  // namespace

TEST_CASE("template: the common forms allocate nothing per line", "[stages][template]") {
  const std::string text = GENERATE(
      as<std::string>(), "{{ .msg }}", "{{ .Value }}", "{{ .Entry }}", "{{ ToLower .Value }}",
      "{{ ToUpper .level }}", "{{ .level }} [{{ .msg }}]", "{{ TrimSpace .Value }}",
      "{{ .level | ToLower }}: {{ .missing }}", "{{ if .missing }}a{{ else }}{{ .level }}{{ end }}",
      "{{ if eq .level \"INFO\" }}i{{ else }}{{ .level }}{{ end }}");
  CAPTURE(text);
  LineRunner runner(
      "- regex: {expression: '^(?P<level>\\w+) (?P<msg>.*)$'}\n- template: {source: level, "
      "template: '" +
      text + "'}\n- output: {source: level}\n");
  REQUIRE(runner.built());
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < kLines; ++i) {
    lines.push_back((i % 2 == 0 ? "INFO request number " : "Warn  something \xc3\xa9 else ") +
                    std::to_string(i) + std::string(kTextPadding, '\0'));
  }
  const LabelSetId labels = runner.sets.Intern({{"job", "x"}});

  // What is kept from block to block grows in the first ones.
  AllocationsOf(runner.pipeline(), labels, lines);
  AllocationsOf(runner.pipeline(), labels, lines);

  CHECK(AllocationsOf(runner.pipeline(), labels, lines) == 0);
}

}  // namespace agent
