#include "pipeline/template/format.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/utf8.h"
#include "pipeline/template/datum_time.h"
#include "pipeline/template/format_spec.h"
#include "pipeline/time/layout.h"

namespace agent {
namespace {

// "%!d(string=hi)": the verb does not fit the value.
void AppendBadVerb(const Datum& datum, const FormatSpec& spec, std::string& out, int depth) {
  out += "%!";
  AppendUtf8(spec.verb, out);
  out += "(";
  if (datum.is_nil()) {
    out += "<nil>";
  } else {
    out += TypeName(datum);
    out += "=";
    FormatSpec plain = spec;  // Width and precision stay.
    plain.verb = 'v';
    AppendBySpec(datum, plain, out, depth);
  }
  out += ")";
}

bool VerbIn(const FormatSpec& spec, std::string_view verbs) {
  return spec.verb < 0x80 && verbs.find(static_cast<char>(spec.verb)) != std::string_view::npos;
}

std::string TimeText(const DatumTime& time) {
  return FormatTime("2006-01-02 15:04:05.999999999 -0700 MST", time);
}

std::string VersionText(const DatumVersion& version) {
  std::string text = std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
                     std::to_string(version.patch);
  if (!version.prerelease.empty()) text += "-" + version.prerelease;
  if (!version.metadata.empty()) text += "+" + version.metadata;
  return text;
}

void AppendList(const DatumList& list, const FormatSpec& spec, std::string& out, int depth) {
  if (spec.go_syntax) out += TypeName(Datum::List(const_cast<DatumList*>(&list)));
  out += spec.go_syntax ? "{" : "[";
  bool first = true;
  for (const Datum& item : list.items) {
    if (out.size() > kMaxFormattedBytes) return;
    if (!first) out += spec.go_syntax ? ", " : " ";
    first = false;
    AppendBySpec(item, spec, out, depth + 1);
  }
  out += spec.go_syntax ? "}" : "]";
}

void AppendDict(const DatumDict& dict, const FormatSpec& spec, std::string& out, int depth) {
  out += spec.go_syntax ? TypeName(Datum::Dict(const_cast<DatumDict*>(&dict))) : "map";
  out += spec.go_syntax ? "{" : "[";
  bool first = true;
  for (const auto& [key, value] : dict.items) {
    if (out.size() > kMaxFormattedBytes) return;
    if (!first) out += spec.go_syntax ? ", " : " ";
    first = false;
    AppendBySpec(Datum::String(key), spec, out, depth + 1);
    out += ":";
    AppendBySpec(value, spec, out, depth + 1);
  }
  out += spec.go_syntax ? "}" : "]";
}

bool AppendNumber(const Datum& datum, const FormatSpec& spec, std::string& out) {
  FormatSpec plain = spec;
  if (spec.verb == 'v') plain.verb = datum.kind() == Datum::Kind::kFloat ? 'g' : 'd';
  if (datum.kind() == Datum::Kind::kFloat) {
    if (!VerbIn(spec, "vbgGeEfFxX")) return false;
    AppendFloatBySpec(datum.real(), plain, out);
    return true;
  }
  if (!VerbIn(spec, "vdboOxXcqU")) return false;
  if (spec.go_syntax && datum.kind() == Datum::Kind::kUint8) {
    plain.verb = 'x';
    plain.sharp = true;
  }
  AppendIntegerBySpec(datum.integer(), plain, out);
  return true;
}

// Months, weekdays, times and versions know their own text.
std::string OwnText(const Datum& datum) {
  switch (datum.kind()) {
    case Datum::Kind::kMonth:
      return std::string(kMonthNames[std::clamp<int64_t>(datum.integer(), 1, 12) - 1]);
    case Datum::Kind::kWeekday:
      return std::string(kDayNames[std::clamp<int64_t>(datum.integer(), 0, 6)]);
    case Datum::Kind::kTime:
      return TimeText(datum.time());
    default:
      return VersionText(datum.version());
  }
}

bool HasOwnText(const Datum& datum) {
  const Datum::Kind kind = datum.kind();
  return kind == Datum::Kind::kMonth || kind == Datum::Kind::kWeekday ||
         kind == Datum::Kind::kTime || kind == Datum::Kind::kVersion;
}

}  // namespace

void AppendBySpec(const Datum& datum, const FormatSpec& spec, std::string& out, int depth) {
  if (depth > kMaxDatumDepth || out.size() > kMaxFormattedBytes) return;
  if (spec.verb == 'T') return AppendPadded(TypeName(datum), spec, out);
  if (HasOwnText(datum) && VerbIn(spec, "vsqxX") && !spec.go_syntax) {
    return AppendStringBySpec(OwnText(datum), spec, out);
  }
  switch (datum.kind()) {
    case Datum::Kind::kNil:
      if (depth > 0) {  // Inside something, the verb does not matter.
        out += spec.go_syntax ? "interface {}(nil)" : "<nil>";
        return;
      }
      if (spec.verb != 'v') break;
      return AppendPadded("<nil>", spec, out);
    case Datum::Kind::kBool:
      if (!VerbIn(spec, "vt")) break;
      return AppendPadded(datum.boolean() ? "true" : "false", spec, out);
    case Datum::Kind::kString:
      if (!VerbIn(spec, "vsqxX")) break;
      return AppendStringBySpec(datum.text(), spec, out);
    case Datum::Kind::kList:
      return AppendList(datum.list(), spec, out, depth);
    case Datum::Kind::kDict:
      return AppendDict(datum.dict(), spec, out, depth);
    case Datum::Kind::kTime:
    case Datum::Kind::kVersion:
      break;
    default:
      if (AppendNumber(datum, spec, out)) return;
  }
  AppendBadVerb(datum, spec, out, depth);
}

void AppendDatum(const Datum& datum, std::string& out) {
  if (datum.is_string()) {
    out += datum.text();
  } else {
    AppendBySpec(datum, FormatSpec(), out);
  }
}

std::string DatumText(const Datum& datum) {
  std::string text;
  AppendDatum(datum, text);
  return text;
}

void AppendPrint(std::span<const Datum> operands, std::string& out) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (i > 0 && !operands[i].is_string() && !operands[i - 1].is_string()) out += ' ';
    AppendDatum(operands[i], out);
  }
}

void AppendPrintLine(std::span<const Datum> operands, std::string& out) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (i > 0) out += ' ';
    AppendDatum(operands[i], out);
  }
}

namespace {

// Runs through a format, taking operands as its verbs ask for them.
class Printf {
 public:
  Printf(std::string_view format, std::span<const Datum> operands, std::string& out)
      : format_(format), operands_(operands), out_(out) {}

  void Run() {
    while (pos_ < format_.size() && out_.size() <= kMaxFormattedBytes) {
      const std::size_t percent = std::min(format_.find('%', pos_), format_.size());
      out_ += format_.substr(pos_, percent - pos_);
      pos_ = percent + 1;
      if (percent < format_.size()) Verb();
    }
    if (!reordered_ && next_ < operands_.size()) AppendExtra();
  }

 private:
  // Go cuts numbers off here.
  static constexpr int kMaxNumber = 1'000'000;
  static constexpr int kMaxPadding = 100'000;  // Ours: a width is no way to fill memory.

  void Verb();
  void Flags(FormatSpec& spec);
  int Number();
  void OperandIndex();
  int NumberFromOperand(std::string_view complaint);
  void Width(FormatSpec& spec);
  void Precision(FormatSpec& spec);
  void AppendExtra();

  std::string_view format_;
  std::span<const Datum> operands_;
  std::string& out_;
  std::size_t pos_ = 0;
  std::size_t next_ = 0;
  bool reordered_ = false;
  bool good_index_ = true;
};

void Printf::Flags(FormatSpec& spec) {
  for (; pos_ < format_.size(); ++pos_) {
    switch (format_[pos_]) {
      case '#':
        spec.sharp = true;
        break;
      case '0':
        spec.zero = true;
        break;
      case '+':
        spec.plus = true;
        break;
      case '-':
        spec.minus = true;
        break;
      case ' ':
        spec.space = true;
        break;
      default:
        return;
    }
  }
}

// -1: no digits here.
int Printf::Number() {
  int number = -1;
  while (pos_ < format_.size() && format_[pos_] >= '0' && format_[pos_] <= '9') {
    number = std::max(number, 0) * 10 + (format_[pos_++] - '0');
    if (number > kMaxNumber) number = kMaxNumber;
  }
  return number;
}

// "[2]": the operand to take, counting from 1.
void Printf::OperandIndex() {
  if (pos_ >= format_.size() || format_[pos_] != '[') return;
  reordered_ = true;
  const std::size_t close = format_.find(']', pos_);
  if (close == std::string_view::npos) {
    good_index_ = false;
    ++pos_;
    return;
  }
  ++pos_;
  const int index = Number();
  if (pos_ != close || index < 1 || static_cast<std::size_t>(index) > operands_.size()) {
    good_index_ = false;
  } else {
    next_ = static_cast<std::size_t>(index) - 1;
  }
  pos_ = close + 1;
}

int Printf::NumberFromOperand(std::string_view complaint) {
  ++pos_;
  if (next_ < operands_.size()) {
    const Datum& operand = operands_[next_++];
    if (operand.is_integer() && operand.integer() <= kMaxNumber &&
        operand.integer() >= -kMaxNumber) {
      return static_cast<int>(operand.integer());
    }
  }
  out_ += complaint;
  return -kMaxNumber - 1;
}

void Printf::Width(FormatSpec& spec) {
  if (pos_ < format_.size() && format_[pos_] == '*') {
    const int width = NumberFromOperand("%!(BADWIDTH)");
    if (width < -kMaxNumber) return;
    spec.width = width < 0 ? -width : width;
    if (width < 0) spec.minus = true;
  } else {
    spec.width = Number();
  }
  spec.width = std::min(spec.width, kMaxPadding);
}

void Printf::Precision(FormatSpec& spec) {
  if (pos_ + 1 >= format_.size() || format_[pos_] != '.') return;
  ++pos_;
  OperandIndex();
  if (pos_ < format_.size() && format_[pos_] == '*') {
    const int precision = NumberFromOperand("%!(BADPREC)");
    spec.precision = precision < 0 ? -1 : precision;
  } else {
    spec.precision = std::max(Number(), 0);
  }
  spec.precision = std::min(spec.precision, kMaxPadding);
}

void Printf::Verb() {
  FormatSpec spec;
  good_index_ = true;
  Flags(spec);
  OperandIndex();
  Width(spec);
  Precision(spec);
  OperandIndex();
  if (pos_ >= format_.size()) {
    out_ += "%!(NOVERB)";
    return;
  }
  const DecodedRune verb = DecodeRune(format_.substr(pos_));
  pos_ += verb.size;
  spec.verb = verb.rune;
  if (spec.minus) spec.zero = false;
  if (verb.rune == '%') {
    out_ += '%';
    return;
  }
  if (!good_index_ || next_ >= operands_.size()) {
    out_ += "%!";
    AppendUtf8(verb.rune, out_);
    out_ += good_index_ ? "(MISSING)" : "(BADINDEX)";
    return;
  }
  if (verb.rune == 'v') {
    spec.go_syntax = std::exchange(spec.sharp, false);
    spec.plus = false;
  }
  AppendBySpec(operands_[next_++], spec, out_);
}

void Printf::AppendExtra() {
  out_ += "%!(EXTRA ";
  for (std::size_t i = next_; i < operands_.size(); ++i) {
    if (i > next_) out_ += ", ";
    if (!operands_[i].is_nil()) {
      out_ += TypeName(operands_[i]);
      out_ += "=";
    }
    AppendDatum(operands_[i], out_);
  }
  out_ += ")";
}

}  // namespace

void AppendPrintf(std::string_view format, std::span<const Datum> operands, std::string& out) {
  Printf(format, operands, out).Run();
}

}  // namespace agent
