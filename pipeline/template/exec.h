// Runs a parsed template: Go's text/template, with its rules for types, missing values and errors.

#pragma once

#include <string>
#include <vector>

#include "pipeline/template/ast.h"
#include "pipeline/template/functions.h"
#include "pipeline/template/template.h"

namespace agent {

// Memory that executions of one template share.
struct ExecutionMemory {
  std::vector<Datum> frame;
  std::vector<Datum> arguments;
  DatumDict data;  // `.` where nothing uses it as a whole: an empty stand-in.
};

class Executor {
 public:
  // None is owned. `runtime` has begun a new execution.
  Executor(const TemplateTree& tree, TemplateRuntime& runtime, ExecutionMemory& memory,
           TemplateData& data, std::string& out);

  // Appends what it renders. False when it failed; the runtime has the error.
  bool Run();

 private:
  enum class Flow : uint8_t { kNext, kBreak, kContinue, kFailed };

  Flow RunBody(const TemplateBody& body, const Datum& dot);
  Flow Walk(const NodeList& nodes, const Datum& dot);
  Flow Walk(const Node& node, const Datum& dot);
  Flow WalkRange(const Node& node, const Datum& dot);
  Flow WalkList(const Node& node, const DatumList& list);
  Flow WalkDict(const Node& node, const DatumDict& dict);
  Flow WalkNumber(const Node& node, const Datum& count);
  // One turn; kNext also after `continue`.
  Flow WalkItem(const Node& node, const Datum& key, const Datum& item);
  Flow WalkTemplate(const Node& node, const Datum& dot);
  void Print(const Datum& value);

  // `final` is the value from the left of the pipe, or null. After a failure results mean nothing.
  Datum EvalPipe(const Node& pipe, const Datum& dot);
  Datum EvalCommand(const Node& command, const Datum& dot, const Datum* final);
  Datum EvalOperand(const Node& node, const Datum& dot);
  Datum EvalCall(const Node& name, const NodeList& operands, const Datum& dot, const Datum* final);
  Datum EvalShortCircuit(bool is_or, const NodeList& operands, const Datum& dot,
                         const Datum* final);
  Datum EvalArgument(char type, const Node& node, const Datum& dot);
  Datum EvalConstant(char type, const Node& node);
  Datum Convert(char type, const Datum& value);
  // `operands` of the command whose first operand the path is; null where it stands alone.
  Datum EvalPath(const Datum& receiver, const FieldPath& path, const NodeList* operands,
                 const Datum& dot, const Datum* final);
  Datum EvalField(const Datum& receiver, const std::string& name, std::size_t data_index);
  Datum EvalMethod(const Datum& receiver, const std::string& name, const NodeList* operands,
                   const Datum& dot, const Datum* final);

  void SetVariables(const Node& pipe, const Datum& key, const Datum& item);
  void SetVariable(std::size_t index, const Datum& value);
  [[nodiscard]] bool failed() const { return !runtime_.error.empty(); }
  Datum Fail(std::string message);

  const TemplateTree& tree_;
  TemplateRuntime& runtime_;
  ExecutionMemory& memory_;
  TemplateData& data_;
  std::string& out_;
  const std::size_t out_start_;
  DatumDict* root_ = nullptr;
  std::size_t frame_ = 0;  // Where the variables of the current body begin.
  int depth_ = 0;
};

// Calls a method of a time or a version. False when it has none of that name.
bool CallMethod(const Datum& receiver, std::string_view name, Call& call, Datum& result);

}  // namespace agent
