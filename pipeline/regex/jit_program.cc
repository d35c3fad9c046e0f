#include "pipeline/regex/jit_program.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <algorithm>
#include <utility>

#include <pcre2.h>

namespace agent {
namespace {

// PCRE2 counts a step for each place where it tries to begin, and for each round of a repeated
// group. Between two steps it may look at the whole rest of the text, so a long text gets fewer of
// them: no search costs more than some tens of milliseconds, and one in a line of usual length 50
// us.
constexpr std::size_t kMaxSteps = 20'000;
constexpr std::size_t kMaxWork = 64 << 20;
constexpr std::size_t kMinSteps = 64;

constexpr std::size_t kFirstStack = 32 << 10;
constexpr std::size_t kLargestStack = 512 << 10;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct FreeCompileContext {
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};
struct FreeStack {
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

}  // namespace

struct JitProgram::Code {
  std::unique_ptr<pcre2_code, FreeCode> code;
  std::unique_ptr<pcre2_match_data, FreeMatchData> data;
  std::unique_ptr<pcre2_match_context, FreeMatchContext> context;
  std::unique_ptr<pcre2_jit_stack, FreeStack> stack;  // Made when the thread's own was too small.
};

JitProgram::JitProgram(std::unique_ptr<Code> code) : code_(std::move(code)) {}
JitProgram::~JitProgram() = default;

std::unique_ptr<JitProgram> JitProgram::Compile(const std::string& pattern, PcreAlphabet alphabet,
                                                std::size_t groups) {
  const std::unique_ptr<pcre2_compile_context, FreeCompileContext> settings(
      pcre2_compile_context_create(nullptr));
  if (settings == nullptr) return nullptr;
  pcre2_set_newline(settings.get(), PCRE2_NEWLINE_LF);
  uint32_t options = PCRE2_DOTALL | PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_BACKSLASH_C;
  if (alphabet == PcreAlphabet::kUnicode) options |= PCRE2_UTF | PCRE2_NO_UTF_CHECK;
  int error = 0;
  PCRE2_SIZE error_at = 0;
  auto code = std::make_unique<Code>();
  // It cannot be a literal pointer to PCRE2_UCHAR: that is an unsigned char.
  const auto* text = reinterpret_cast<PCRE2_SPTR>(pattern.data());
  code->code.reset(pcre2_compile(text, pattern.size(), options, &error, &error_at, settings.get()));
  if (code->code == nullptr) return nullptr;
  if (pcre2_jit_compile(code->code.get(), PCRE2_JIT_COMPLETE) != 0) return nullptr;
  code->data.reset(pcre2_match_data_create(static_cast<uint32_t>(groups) + 1, nullptr));
  code->context.reset(pcre2_match_context_create(nullptr));
  if (code->data == nullptr || code->context == nullptr) return nullptr;
  return std::unique_ptr<JitProgram>(new JitProgram(std::move(code)));
}

JitProgram::Outcome JitProgram::Search(std::string_view text, std::size_t from,
                                       std::span<TextSpan> groups) {
  const std::size_t bounded = std::max(kMaxWork / (text.size() + 1), kMinSteps);
  pcre2_set_match_limit(code_->context.get(), static_cast<uint32_t>(std::min(kMaxSteps, bounded)));
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? "" : text.data());
  const auto run = [&] {
    return pcre2_jit_match(code_->code.get(), subject, text.size(), from, 0, code_->data.get(),
                           code_->context.get());
  };
  int result = run();
  if (result == PCRE2_ERROR_JIT_STACKLIMIT && code_->stack == nullptr) {
    code_->stack.reset(pcre2_jit_stack_create(kFirstStack, kLargestStack, nullptr));
    if (code_->stack != nullptr) {
      pcre2_jit_stack_assign(code_->context.get(), nullptr, code_->stack.get());
      result = run();
    }
  }
  if (result == PCRE2_ERROR_NOMATCH) return Outcome::kNoMatch;
  if (result <= 0) return Outcome::kGaveUp;
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(code_->data.get());
  const auto set = static_cast<std::size_t>(result);  // Groups after the last one that took part
                                                      // are not counted.
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = {};
    if (i < set && offsets[2 * i] != PCRE2_UNSET) {
      groups[i] = {offsets[2 * i], offsets[2 * i + 1]};
    }
  }
  return Outcome::kMatch;
}

}  // namespace agent
