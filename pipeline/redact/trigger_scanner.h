// Finds the places of a text where a detector must look closely: the only work that a line without
// personal data or secrets costs. Vectorised, by what the processor has: rare bytes of all literals
// are looked up at once, and digits, dots and colons become bit masks in which the shapes of
// addresses and numbers are a few shifts.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "pipeline/redact/detector.h"

namespace agent::redact {

struct Candidate {
  uint32_t at = 0;
  uint32_t detector = 0;  // Index in the list that the scanner was built for.
};

// Literals of which three bytes are looked for. Each has one of eight buckets (a bit); a place may
// be that of a literal when its three bytes have a bit in common.
struct LiteralTables {
  // By half a byte, for a vector of them: what a byte's halves allow, together, is what it allows.
  alignas(16) std::array<std::array<uint8_t, 16>, 3> low{};
  alignas(16) std::array<std::array<uint8_t, 16>, 3> high{};
  // By byte: exact.
  std::array<std::array<uint8_t, 256>, 3> exact{};
};

// Immutable once built; any number of threads may scan.
class TriggerScanner {
 public:
  // Which of a processor's abilities to use.
  enum class Variant : uint8_t { kPortable, kAvx2 };
  // Those that this processor can run, the fastest first. Never empty.
  static std::span<const Variant> Variants();

  explicit TriggerScanner(std::span<const Detector* const> detectors,
                          Variant variant = Variants().front());

  // Appends the places in `text`, which has kTextPadding readable bytes after it; each detector's
  // are in order. A place may come more than once.
  void Scan(std::string_view text, std::vector<Candidate>& out) const;

 private:
  static constexpr std::size_t kKinds = 5;
  struct Literal {
    std::string_view text;
    std::size_t rare_at = 0;
    uint32_t detector = 0;
    // The rare bytes as a number, and which bits of it count.
    uint32_t rare = 0;
    uint32_t rare_bits = 0;
  };

  void FillBucket(std::size_t bucket, std::vector<Literal> literals);

  template <typename V>
  void ScanWith(std::string_view text, std::vector<Candidate>& out) const;
  void ScanAvx2(std::string_view text, std::vector<Candidate>& out) const;
  template <typename V>
  void ScanDigits(std::string_view text, std::size_t at, uint64_t digits, bool before,
                  std::vector<Candidate>& out) const;
  void EmitLiterals(std::string_view text, std::size_t at, uint32_t places,
                    std::vector<Candidate>& out) const;
  void Emit(TriggerKind kind, std::size_t at, uint32_t places, std::vector<Candidate>& out) const;
  [[nodiscard]] bool Wants(TriggerKind kind) const {
    return !detectors_of_[static_cast<std::size_t>(kind)].empty();
  }

  Variant variant_;
  LiteralTables tables_;
  std::array<std::vector<Literal>, 8> buckets_;
  std::array<std::vector<uint32_t>, kKinds> detectors_of_;  // By kind, but for literals.
  bool has_literals_ = false;
  bool has_numbers_ = false;
};

}  // namespace agent::redact
