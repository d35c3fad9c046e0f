// A parsed template.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/template/functions.h"

namespace agent {

constexpr std::size_t kNoIndex = ~std::size_t{0};

enum class NodeKind : uint8_t {
  // Statements.
  kText,      // text
  kAction,    // pipe: printed, unless it declares
  kIf,        // pipe, body, otherwise
  kWith,      // pipe, body, otherwise
  kRange,     // pipe, body, otherwise
  kTemplate,  // text: its name; pipe or null
  kBreak,
  kContinue,
  // Operands.
  kPipe,        // children: commands; variables: what it declares or assigns
  kCommand,     // children: operands
  kField,       // path
  kVariable,    // index, path
  kChain,       // children[0], path
  kIdentifier,  // function
  kDot,
  kNil,
  kBool,    // integer
  kNumber,  // is_integer, integer, is_float, real
  kString,  // text
};

// The names of `.a.b`; the first may be read from the template's data, and has an index there.
struct FieldPath {
  std::vector<std::string> names;
  std::size_t data_index = kNoIndex;
};

struct Node {
  NodeKind kind = NodeKind::kText;
  std::size_t offset = 0;  // In the template's text.
  std::string text;
  FieldPath path;
  std::vector<std::unique_ptr<Node>> children;

  std::unique_ptr<Node> pipe;
  std::vector<std::unique_ptr<Node>> body;
  std::vector<std::unique_ptr<Node>> otherwise;

  std::vector<std::size_t> variables;  // Places in the frame; kNoIndex: an unknown one.
  bool assigns = false;                // Of a pipe with variables: "=", not ":=".
  std::size_t index = 0;               // Of a variable; place 0 is "$".

  const TemplateFunction* function = nullptr;

  bool is_integer = false;  // Numbers: fits a 64-bit integer.
  bool is_float = false;
  bool looks_float = false;  // Where the context does not tell, it is a float.
  int64_t integer = 0;
  double real = 0;
};

using NodeList = std::vector<std::unique_ptr<Node>>;

// The top level, or what stands between define and end.
struct TemplateBody {
  NodeList nodes;
  std::size_t frame_size = 1;  // Variables, "$" included.
};

struct TemplateTree {
  TemplateBody main;
  std::map<std::string, TemplateBody, std::less<>> defined;
  // What it reads from its data.
  std::vector<std::string> data_names;
  bool uses_everything = false;
};

}  // namespace agent
