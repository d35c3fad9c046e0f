#include "pipeline/template/exec.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "pipeline/template/format.h"

namespace agent {
namespace {

constexpr int kMaxTemplateDepth = 100;
constexpr std::size_t kMaxOutputBytes = std::size_t{1} << 20;

// Bytes that a function may look at, for the bound on work.
std::size_t WorkOf(std::span<const Datum> arguments) {
  std::size_t bytes = 0;
  for (const Datum& argument : arguments) {
    if (argument.is_string()) bytes += argument.text().size();
    if (argument.kind() == Datum::Kind::kList) bytes += argument.list().items.size() * 16;
    if (argument.kind() == Datum::Kind::kDict) bytes += argument.dict().items.size() * 64;
  }
  return 1 + bytes / 1024;
}

std::string_view TypeOfParameter(char type) {
  switch (type) {
    case 's':
      return "string";
    case 'i':
      return "int";
    case 'f':
      return "float64";
    case 'b':
      return "bool";
    case 'd':
    case 'D':
      return "map[string]interface {}";
    case 't':
      return "time.Time";
    default:
      return "interface {}";
  }
}

// The parameter type of the argument at `index`.
char ParameterType(std::string_view parameters, std::size_t index) {
  const bool variadic = parameters.ends_with('*');
  const std::size_t count = parameters.size() - (variadic ? 1 : 0);
  return parameters[std::min(index, count - 1)];
}

// `range $i, $x := 3`.
bool IsPairOverNumber(const Node& range, const Datum& value) {
  return value.is_integer() && range.pipe->variables.size() > 1;
}

bool HasArguments(const NodeList* operands, const Datum* final) {
  return final != nullptr || (operands != nullptr && operands->size() > 1);
}

// A key that is missing has fields that are missing; one that holds nil has none.
bool IsNilItem(const Datum& container, const std::string& name) {
  if (container.kind() != Datum::Kind::kDict) return false;
  const auto found = container.dict().items.find(name);
  return found != container.dict().items.end() && found->second.is_nil();
}

bool CountFits(std::string_view parameters, std::size_t count) {
  if (parameters.ends_with('*')) return count + 2 >= parameters.size();
  return count == parameters.size();
}

}  // namespace

Executor::Executor(const TemplateTree& tree, TemplateRuntime& runtime, ExecutionMemory& memory,
                   TemplateData& data, std::string& out)
    : tree_(tree),
      runtime_(runtime),
      memory_(memory),
      data_(data),
      out_(out),
      out_start_(out.size()) {}

bool Executor::Run() {
  memory_.frame.clear();
  memory_.arguments.clear();
  root_ = &memory_.data;
  if (tree_.uses_everything) {
    root_ = runtime_.pool.NewDict();
    data_.ForEach([this](std::string_view name, std::string_view value) {
      root_->items.insert_or_assign(std::string(name), Datum::String(value));
    });
  }
  return RunBody(tree_.main, Datum::Dict(root_)) != Flow::kFailed;
}

Executor::Flow Executor::RunBody(const TemplateBody& body, const Datum& dot) {
  const std::size_t outer = std::exchange(frame_, memory_.frame.size());
  memory_.frame.resize(frame_ + body.frame_size);
  memory_.frame[frame_] = dot;
  const Flow flow = Walk(body.nodes, dot);
  memory_.frame.resize(frame_);
  frame_ = outer;
  return flow;
}

Executor::Flow Executor::Walk(const NodeList& nodes, const Datum& dot) {
  for (const auto& node : nodes) {
    const Flow flow = Walk(*node, dot);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Executor::Flow Executor::Walk(const Node& node, const Datum& dot) {
  if (!runtime_.Spend(1)) return Flow::kFailed;
  switch (node.kind) {
    case NodeKind::kText:
      out_ += node.text;
      break;
    case NodeKind::kAction: {
      const Datum value = EvalPipe(*node.pipe, dot);
      if (!failed() && node.pipe->variables.empty()) Print(value);
      break;
    }
    case NodeKind::kIf:
    case NodeKind::kWith: {
      const Datum value = EvalPipe(*node.pipe, dot);
      if (failed()) return Flow::kFailed;
      if (!IsTruthy(value)) return Walk(node.otherwise, dot);
      return Walk(node.body, node.kind == NodeKind::kWith ? value : dot);
    }
    case NodeKind::kRange:
      return WalkRange(node, dot);
    case NodeKind::kTemplate:
      return WalkTemplate(node, dot);
    case NodeKind::kBreak:
      return Flow::kBreak;
    default:
      return Flow::kContinue;
  }
  if (out_.size() - out_start_ > kMaxOutputBytes) Fail("the template renders more than 1 MiB");
  return failed() ? Flow::kFailed : Flow::kNext;
}

void Executor::Print(const Datum& value) {
  if (value.is_nil()) {
    out_ += "<no value>";
  } else if (value.is_string()) {
    out_ += value.text();
  } else {
    std::string text;
    AppendDatum(value, text);
    out_ += text;
  }
}

Executor::Flow Executor::WalkTemplate(const Node& node, const Datum& dot) {
  const auto body = tree_.defined.find(node.text);
  if (body == tree_.defined.end()) {
    Fail("template '" + node.text + "' not defined");
    return Flow::kFailed;
  }
  const Datum value = node.pipe ? EvalPipe(*node.pipe, dot) : Datum();
  if (failed()) return Flow::kFailed;
  if (++depth_ > kMaxTemplateDepth) {
    Fail("templates call one another too deeply");
    return Flow::kFailed;
  }
  const Flow flow = RunBody(body->second, value);
  --depth_;
  return flow;
}

Executor::Flow Executor::WalkRange(const Node& node, const Datum& dot) {
  const Datum value = EvalPipe(*node.pipe, dot);
  if (failed()) return Flow::kFailed;
  if (!IsTruthy(value) || (value.is_integer() && value.integer() < 0)) {
    const bool iterable = value.is_nil() || value.kind() == Datum::Kind::kList ||
                          value.kind() == Datum::Kind::kDict || value.is_integer();
    if (iterable && !IsPairOverNumber(node, value)) return Walk(node.otherwise, dot);
  }
  Flow flow = Flow::kFailed;
  if (value.kind() == Datum::Kind::kList) {
    flow = WalkList(node, value.list());
  } else if (value.kind() == Datum::Kind::kDict) {
    flow = WalkDict(node, value.dict());
  } else if (!value.is_integer()) {
    Fail("range can't iterate over " + std::string(TypeName(value)));
  } else if (IsPairOverNumber(node, value)) {
    Fail("range over a number has only one variable");
  } else {
    flow = WalkNumber(node, value);
  }
  return failed() || flow == Flow::kFailed ? Flow::kFailed : Flow::kNext;
}

Executor::Flow Executor::WalkList(const Node& node, const DatumList& list) {
  Flow flow = Flow::kNext;
  for (std::size_t i = 0; i < list.items.size() && flow == Flow::kNext; ++i) {
    flow = WalkItem(node, Datum::Int(static_cast<int64_t>(i)), list.items[i]);
  }
  return flow;
}

Executor::Flow Executor::WalkDict(const Node& node, const DatumDict& dict) {
  if (!runtime_.pool.Charge(dict.items.size() * 64)) return Flow::kFailed;
  const auto items = dict.items;  // A copy: `set` and `unset` may change it.
  Flow flow = Flow::kNext;
  for (const auto& [key, item] : items) {
    flow = WalkItem(node, Datum::String(runtime_.pool.Keep(key)), item);
    if (flow != Flow::kNext) break;
  }
  return flow;
}

Executor::Flow Executor::WalkNumber(const Node& node, const Datum& count) {
  Flow flow = Flow::kNext;
  for (int64_t i = 0; i < count.integer() && flow == Flow::kNext; ++i) {
    flow = WalkItem(node, Datum(), Datum::Integer(count.kind(), i));
  }
  return flow;
}

Executor::Flow Executor::WalkItem(const Node& node, const Datum& key, const Datum& item) {
  if (!runtime_.Spend(1)) return Flow::kFailed;
  SetVariables(*node.pipe, key, item);
  if (failed()) return Flow::kFailed;
  const Flow flow = Walk(node.body, item);
  return flow == Flow::kContinue ? Flow::kNext : flow;
}

// One variable takes the item; of two, the first takes the key.
void Executor::SetVariables(const Node& pipe, const Datum& key, const Datum& item) {
  if (pipe.variables.size() == 1) SetVariable(pipe.variables[0], item);
  if (pipe.variables.size() == 2) {
    SetVariable(pipe.variables[0], key);
    SetVariable(pipe.variables[1], item);
  }
}

void Executor::SetVariable(std::size_t index, const Datum& value) {
  if (index == kNoIndex) {
    Fail("assignment to an undefined variable");
  } else {
    memory_.frame[frame_ + index] = value;
  }
}

Datum Executor::Fail(std::string message) {
  if (runtime_.error.empty()) runtime_.error = std::move(message);
  return {};
}

Datum Executor::EvalPipe(const Node& pipe, const Datum& dot) {
  Datum value;
  const Datum* final = nullptr;
  for (const auto& command : pipe.children) {
    value = EvalCommand(*command, dot, final);
    if (failed()) return {};
    final = &value;
  }
  for (const std::size_t variable : pipe.variables)
    SetVariable(variable, value);
  return value;
}

Datum Executor::EvalCommand(const Node& command, const Datum& dot, const Datum* final) {
  if (!runtime_.Spend(1)) return {};
  const NodeList& operands = command.children;
  const Node& first = *operands.front();
  switch (first.kind) {
    case NodeKind::kField:
      return EvalPath(dot, first.path, &operands, dot, final);
    case NodeKind::kChain: {
      const Datum receiver = EvalOperand(*first.children.front(), dot);
      if (failed()) return {};
      return EvalPath(receiver, first.path, &operands, dot, final);
    }
    case NodeKind::kIdentifier:
      return EvalCall(first, operands, dot, final);
    case NodeKind::kVariable:
      if (first.path.names.empty()) break;
      if (first.index == kNoIndex) return Fail("undefined variable");
      return EvalPath(memory_.frame[frame_ + first.index], first.path, &operands, dot, final);
    default:
      break;
  }
  if (operands.size() > 1 || final != nullptr) {
    return Fail("can't give an argument to what is not a function");
  }
  if (first.kind == NodeKind::kNil) return Fail("nil is not a command");
  return EvalOperand(first, dot);
}

Datum Executor::EvalOperand(const Node& node, const Datum& dot) {
  switch (node.kind) {
    case NodeKind::kDot:
      return dot;
    case NodeKind::kField:
      return EvalPath(dot, node.path, nullptr, dot, nullptr);
    case NodeKind::kVariable:
      if (node.index == kNoIndex) return Fail("undefined variable");
      return EvalPath(memory_.frame[frame_ + node.index], node.path, nullptr, dot, nullptr);
    case NodeKind::kPipe:
      return EvalPipe(node, dot);
    case NodeKind::kIdentifier: {
      static const NodeList kNone;
      return EvalCall(node, kNone, dot, nullptr);
    }
    case NodeKind::kChain: {
      const Node& base = *node.children.front();
      if (base.kind == NodeKind::kNil) return Fail("nil has no fields");
      const Datum receiver = EvalOperand(base, dot);
      if (failed()) return {};
      return EvalPath(receiver, node.path, nullptr, dot, nullptr);
    }
    case NodeKind::kNil:
      return {};
    default:
      return EvalConstant('a', node);
  }
}

Datum Executor::EvalCall(const Node& name, const NodeList& operands, const Datum& dot,
                         const Datum* final) {
  const TemplateFunction& function = *name.function;
  const std::size_t given = operands.empty() ? 0 : operands.size() - 1;
  const std::size_t count = given + (final != nullptr ? 1 : 0);
  if (!CountFits(function.parameters, count)) {
    return Fail("wrong number of arguments for " + name.text + ": " + std::to_string(count));
  }
  if (IsShortCircuit(function))
    return EvalShortCircuit(function.name == "or", operands, dot, final);

  // Arguments of nested calls come and go above `base`.
  std::vector<Datum>& stack = memory_.arguments;
  const std::size_t base = stack.size();
  for (std::size_t i = 0; i < given && !failed(); ++i) {
    const Datum argument =
        EvalArgument(ParameterType(function.parameters, i), *operands[i + 1], dot);
    stack.push_back(argument);
  }
  if (final != nullptr && !failed()) {
    stack.push_back(Convert(ParameterType(function.parameters, given), *final));
  }
  Datum result;
  if (!failed()) {
    const std::span<const Datum> arguments(stack.data() + base, stack.size() - base);
    Call call(arguments, runtime_);
    if (runtime_.Spend(WorkOf(arguments))) result = function.run(call);
    if (failed()) runtime_.error = "error calling " + name.text + ": " + runtime_.error;
  }
  stack.resize(base);
  return result;
}

// The last argument is returned whatever it is.
Datum Executor::EvalShortCircuit(bool is_or, const NodeList& operands, const Datum& dot,
                                 const Datum* final) {
  Datum value;
  for (std::size_t i = 1; i < operands.size(); ++i) {
    value = EvalArgument('a', *operands[i], dot);
    if (failed() || IsTruthy(value) == is_or) return value;
  }
  return final != nullptr ? *final : value;
}

Datum Executor::EvalArgument(char type, const Node& node, const Datum& dot) {
  switch (node.kind) {
    case NodeKind::kBool:
    case NodeKind::kNumber:
    case NodeKind::kString:
      return EvalConstant(type, node);
    case NodeKind::kNil:
      if (type == 'a' || type == 'd') return Convert(type, {});
      return Fail("cannot assign nil to " + std::string(TypeOfParameter(type)));
    default: {
      const Datum value = EvalOperand(node, dot);
      return failed() ? Datum() : Convert(type, value);
    }
  }
}

// Constants have no type of their own: they become what the parameter wants, if they can.
Datum Executor::EvalConstant(char type, const Node& node) {
  const bool any = type == 'a';
  if (node.kind == NodeKind::kString && (any || type == 's')) return Datum::String(node.text);
  if (node.kind == NodeKind::kBool && (any || type == 'b')) return Datum::Bool(node.integer != 0);
  if (node.kind == NodeKind::kNumber) {
    if (type == 'i' && node.is_integer) return Datum::Int(node.integer);
    if (type == 'f' && node.is_float) return Datum::Float(node.real);
    if (any) return node.looks_float ? Datum::Float(node.real) : Datum::Int(node.integer);
  }
  return Fail("expected " + std::string(TypeOfParameter(type)) + ", found another constant");
}

Datum Executor::Convert(char type, const Datum& value) {
  bool fits = false;
  switch (type) {
    case 's':
      fits = value.is_string();
      break;
    case 'i':
      fits = value.kind() == Datum::Kind::kInt;
      break;
    case 'f':
      fits = value.kind() == Datum::Kind::kFloat;
      break;
    case 'b':
      fits = value.kind() == Datum::Kind::kBool;
      break;
    case 'd':
    case 'D':
      if (value.is_nil() && type == 'd') return Datum::Dict(runtime_.pool.NewDict());
      fits = value.kind() == Datum::Kind::kDict && value.dict().type == DatumDict::Type::kAny;
      break;
    case 't':
      fits = value.kind() == Datum::Kind::kTime;
      break;
    default:
      return value;
  }
  if (fits) return value;
  return Fail("expected " + std::string(TypeOfParameter(type)) + ", got " +
              std::string(value.is_nil() ? "no value" : TypeName(value)));
}

Datum Executor::EvalPath(const Datum& receiver, const FieldPath& path, const NodeList* operands,
                         const Datum& dot, const Datum* final) {
  Datum value = receiver;
  const std::size_t count = path.names.size();
  for (std::size_t i = 0; i < count && !failed(); ++i) {
    const bool last = i + 1 == count;
    if (value.kind() == Datum::Kind::kTime || value.kind() == Datum::Kind::kVersion) {
      value =
          EvalMethod(value, path.names[i], last ? operands : nullptr, dot, last ? final : nullptr);
      continue;
    }
    if (last && !value.is_nil() && HasArguments(operands, final)) {
      return Fail(path.names[i] + " takes no arguments");
    }
    const Datum outer = value;
    value = EvalField(outer, path.names[i], i == 0 ? path.data_index : kNoIndex);
    if (!last && IsNilItem(outer, path.names[i])) Fail("nil has no field " + path.names[i + 1]);
  }
  return value;
}

Datum Executor::EvalField(const Datum& receiver, const std::string& name, std::size_t data_index) {
  if (receiver.is_nil()) return {};
  if (receiver.kind() != Datum::Kind::kDict) {
    return Fail("can't evaluate field " + name + " in type " + std::string(TypeName(receiver)));
  }
  if (&receiver.dict() == &memory_.data && data_index != kNoIndex) {
    const auto text = data_.Lookup(data_index);
    return text ? Datum::String(*text) : Datum();
  }
  const auto& items = receiver.dict().items;
  const auto found = items.find(name);
  return found != items.end() ? found->second : Datum();
}

Datum Executor::EvalMethod(const Datum& receiver, const std::string& name, const NodeList* operands,
                           const Datum& dot, const Datum* final) {
  std::vector<Datum> arguments;
  for (std::size_t i = 1; operands != nullptr && i < operands->size() && !failed(); ++i) {
    arguments.push_back(EvalArgument('a', *(*operands)[i], dot));
  }
  if (final != nullptr) arguments.push_back(*final);
  if (failed()) return {};
  Call call(arguments, runtime_);
  Datum result;
  if (!CallMethod(receiver, name, call, result)) {
    return Fail("can't evaluate field " + name + " in type " + std::string(TypeName(receiver)));
  }
  return result;
}

}  // namespace agent
