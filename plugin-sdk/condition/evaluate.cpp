#include <charconv>
#include <cmath>
#include <compare>

#include "program.h"
#include "weir/text.hpp"

namespace weir::condition {
namespace {

// An operand's value for one event; views into the batch or the program.
struct Value {
  Operand::Type type = Operand::Type::kMissing;
  bool tag = false;  // metadata: text that may stand for a number or for true and false
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string_view text;
};

using Type = Operand::Type;

Value text_value(std::string_view text) {
  Value value;
  if (text.empty()) return value;  // a field that is absent
  value.type = Type::kText;
  value.text = text;
  return value;
}

Value integer_value(int64_t integer) {
  Value value;
  value.type = Type::kInteger;
  value.integer = integer;
  return value;
}

Value boolean_value(bool boolean) {
  Value value;
  value.type = Type::kBoolean;
  value.boolean = boolean;
  return value;
}

Value real_value(double real) {
  Value value;
  value.type = Type::kReal;
  value.real = real;
  return value;
}

Value value_of(const sdk::EventView& event) {
  const weir_event_v1& record = event.record();
  switch (record.value_type) {
    case WEIR_F64: return real_value(record.value.f64);
    case WEIR_I64: return integer_value(record.value.i64);
    case WEIR_BOOL: return boolean_value(record.value.boolean != 0);
    case WEIR_STRING: {
      Value value;
      value.type = Type::kText;  // also when it is empty: the device said so
      value.text = event.text(record.value.ref);
      return value;
    }
    default: return {};  // bytes, and kinds that came later, are compared with nothing
  }
}

Value metadata_of(const sdk::EventView& event, std::string_view key) {
  for (uint32_t i = 0; i < event.metadata_count(); ++i) {
    auto [name, text] = event.metadata(i);
    if (name != key) continue;
    Value value;
    value.type = Type::kText;
    value.tag = true;
    value.text = text;
    return value;
  }
  return {};
}

Value literal(const Operand& operand) {
  Value value;
  value.type = operand.type;
  value.boolean = operand.boolean;
  value.integer = operand.integer;
  value.real = operand.real;
  value.text = operand.text;
  return value;
}

Value read(const Operand& operand, const sdk::EventView& event) {
  const weir_event_v1& record = event.record();
  switch (operand.field) {
    case Field::kNone: return literal(operand);
    case Field::kDeviceId: return text_value(event.device_id());
    case Field::kSensorType: return text_value(event.sensor_type());
    case Field::kUnit: return text_value(event.unit());
    case Field::kValue: return value_of(event);
    case Field::kTimestamp: return integer_value(record.timestamp_ns);
    case Field::kReceivedAt: return integer_value(record.received_ns);
    case Field::kMetadata: return metadata_of(event, operand.text);
    case Field::kFlag: return boolean_value((record.flags & operand.flag) != 0);
  }
  return {};
}

bool is_number(const Value& value) { return value.type == Type::kInteger || value.type == Type::kReal; }

// Metadata as what it is compared with; missing when it cannot be read so.
Value as_compared_with(const Value& value, const Value& other) {
  if (!value.tag || other.type == Type::kText) return value;
  if (other.type == Type::kBoolean) {
    if (value.text == "true" || value.text == "false") return boolean_value(value.text == "true");
    return {};
  }
  const char* end = value.text.data() + value.text.size();
  int64_t integer = 0;
  if (auto done = std::from_chars(value.text.data(), end, integer); done.ec == std::errc() && done.ptr == end) {
    return integer_value(integer);
  }
  double real = 0;
  auto done = std::from_chars(value.text.data(), end, real);
  if (done.ec != std::errc() || done.ptr != end || !std::isfinite(real)) return {};
  return real_value(real);
}

// Exact: an integer beyond 2^53 is not rounded to meet a real one.
std::partial_ordering compare(int64_t integer, double real) {
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (real >= kEnd) return std::partial_ordering::less;
  if (real < -kEnd) return std::partial_ordering::greater;
  const double whole = std::floor(real);
  const auto order = integer <=> static_cast<int64_t>(whole);
  if (order != 0) return order;
  return whole < real ? std::partial_ordering::less : std::partial_ordering::equivalent;
}

std::partial_ordering reversed(std::partial_ordering order) {
  if (order == std::partial_ordering::less) return std::partial_ordering::greater;
  return order == std::partial_ordering::greater ? std::partial_ordering::less : order;
}

// Unordered when the two cannot be compared.
std::partial_ordering compare(const Value& a, const Value& b) {
  const Value left = as_compared_with(a, b), right = as_compared_with(b, a);
  if (is_number(left) && is_number(right)) {
    if (left.type == Type::kInteger && right.type == Type::kInteger) return left.integer <=> right.integer;
    if (left.type == Type::kInteger) return compare(left.integer, right.real);
    if (right.type == Type::kInteger) return reversed(compare(right.integer, left.real));
    return left.real <=> right.real;
  }
  if (left.type != right.type) return std::partial_ordering::unordered;
  if (left.type == Type::kText) return left.text <=> right.text;
  if (left.type == Type::kBoolean) return left.boolean <=> right.boolean;
  return std::partial_ordering::unordered;
}

bool is_in(const Node& node, const sdk::EventView& event) {
  const Value left = read(node.left, event);
  for (const Operand& member : node.list) {
    if (compare(left, literal(member)) == 0) return true;
  }
  return false;
}

bool is_like(const Node& node, const sdk::EventView& event) {
  const Value left = read(node.left, event);
  return left.type == Type::kText && sdk::matches_pattern(left.text, node.right.text);
}

}  // namespace

bool holds(const Program& program, uint32_t place, const sdk::EventView& event) {
  const Node& node = program.nodes[place];
  const auto order = [&] { return compare(read(node.left, event), read(node.right, event)); };
  switch (node.operation) {
    case Operation::kConstant: return node.left.boolean;
    case Operation::kFlag: return read(node.left, event).boolean;
    case Operation::kHas: return read(node.left, event).type != Type::kMissing;
    case Operation::kEqual: return order() == 0;
    case Operation::kUnequal: return order() != 0;
    case Operation::kLess: return order() < 0;
    case Operation::kLessOrEqual: return order() <= 0;
    case Operation::kGreater: return order() > 0;
    case Operation::kGreaterOrEqual: return order() >= 0;
    case Operation::kIn: return is_in(node, event);
    case Operation::kLike: return is_like(node, event);
    case Operation::kNot: return !holds(program, node.first, event);
    case Operation::kAnd: return holds(program, node.first, event) && holds(program, node.second, event);
    case Operation::kOr: return holds(program, node.first, event) || holds(program, node.second, event);
  }
  return false;
}

}  // namespace weir::condition
