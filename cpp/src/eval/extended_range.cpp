// Values whose way leads out of the range of doubles: log(exp(a) + b), exp(a) / (exp(a) + 1), x^3 / (exp(a) - 1), ...
//
// The plain way is compiled first. Beside it, the same value is made from logarithms: log|exp(a)| = a, log|a b| =
// log|a| + log|b|, log|a + b| by factoring out the larger; each with its sign. The result is the plain value where that
// is finite, so nothing changes where nothing went wrong, and the other elsewhere, if there is one. Derivatives always go the second way,
// for the first has factors like 0 * inf even where its value is right.
#include <algorithm>
#include <array>
#include <cmath>

#include "eval/program.hpp"
#include "eval/reach.hpp"

namespace balmer::eval {
namespace {

constexpr std::int16_t kPrefer = -3;

constexpr std::int16_t row_of(Op op) { return static_cast<std::int16_t>(static_cast<int>(op) - kFirstOp); }

}  // namespace

bool has_extended_form(const Expression& expression, const OperatorSet& operators, bool extreme) noexcept {
    std::array<Reach, kMaxNodes> reach;
    for (std::size_t i = 0; i < expression.nodes.size(); ++i) {
        const Node& node = expression.nodes[i];
        reach[i] = Reach::nothing;
        if (node.is_leaf()) {
            continue;
        }
        if (OperatorSet::is_user(node.op)) {
            if (has_extended_form(operators.user(node.op).body, operators, extreme)) {
                return true;
            }
            continue;
        }
        if (needs_range(node.op, reach[i - 1], extreme)) {
            return true;
        }
        Reach below = Reach::nothing;
        for (std::size_t k = 0; k < node.arity; ++k) {
            below = std::max(below, reach[expression.operand(i, k)]);
        }
        reach[i] = reach_of(node.op, below);
    }
    return false;
}

template <class T>
typename Program<T>::Value Program<T>::operation(Op op, const Value& a, const Value& b) {
    const int arity = info(op).arity;
    Value operands[2] = {a, b};
    Form form = vv;
    if (operands[0].kind == Kind::scalar && (arity == 1 || operands[1].kind == Kind::scalar)) {
        operands[0] = materialise(operands[0]);
    }
    if (arity == 2) {
        form = operands[1].kind == Kind::scalar ? vs : operands[0].kind == Kind::scalar ? sv : vv;
    }
    const std::int32_t out = top_++;
    append(kernels_->forward[row_of(op)][form], row_of(op), arity, form, operands, out);
    return {slot(out), 0, Kind::slot, static_cast<std::int32_t>(code_.size()) - 1, out};
}

template <class T>
bool Program<T>::may_overflow(const Value& value) const noexcept {
    if (value.kind != Kind::slot) {
        return false;
    }
    const Record& record = records_[static_cast<std::size_t>(value.id)];
    if (record.row == kPrefer) {
        return true;
    }
    if (record.row < 0) {
        return false;
    }
    const Op op = static_cast<Op>(record.row + kFirstOp);
    if (leaves_range(op)) {
        return true;
    }
    if (!is_chain(op)) {
        return false;
    }
    for (int k = 0; k < record.arity; ++k) {
        if (may_overflow(record.operands[k])) {
            return true;
        }
    }
    return false;
}

template <class T>
typename Program<T>::LogForm Program<T>::log_of_sum(const LogForm& a, const LogForm& b, bool subtract) {
    const Value largest = operation(Op::Max, a.log, b.log);
    Value left = operation(Op::Exp, operation(Op::Sub, a.log, largest));
    Value right = operation(Op::Exp, operation(Op::Sub, b.log, largest));
    if (!a.positive) {
        left = operation(Op::Mul, left, a.sign);
    }
    if (!b.positive) {
        right = operation(Op::Mul, right, b.sign);
    }
    const Value sum = operation(subtract ? Op::Sub : Op::Add, left, right);
    LogForm out;
    out.log = operation(Op::Add, largest, operation(Op::Log, operation(Op::Abs, sum)));
    out.positive = a.positive && b.positive && !subtract;
    if (!out.positive) {
        out.sign = operation(Op::Sign, sum);
    }
    return out;
}

template <class T>
typename Program<T>::LogForm Program<T>::log_form(const Value& value) {
    const bool computed = value.kind == Kind::slot;
    const std::size_t id = computed ? static_cast<std::size_t>(value.id) : 0;
    if (computed && id < log_forms_.size() && log_forms_[id].ready) {
        return log_forms_[id];
    }
    const Record record = computed ? records_[id] : Record{kPrefer, 0, vv, false, {}};
    const Op op = record.row >= 0 ? static_cast<Op>(record.row + kFirstOp) : Op::Constant;
    const auto operand = [&](int k) { return log_form(record.operands[k]); };
    const auto signed_product = [&](const LogForm& a, const LogForm& b, const Value& log) {
        LogForm out;
        out.log = log;
        out.positive = a.positive && b.positive;
        if (!out.positive) {
            out.sign = a.positive ? b.sign : b.positive ? a.sign : operation(Op::Mul, a.sign, b.sign);
        }
        return out;
    };
    LogForm form;
    switch (op) {
        case Op::Exp:
            form.log = record.operands[0];
            break;
        case Op::Add:
        case Op::Sub: {
            const LogForm a = operand(0), b = operand(1);
            form = log_of_sum(a, b, op == Op::Sub);
            break;
        }
        case Op::Expm1:
        case Op::Cosh:
        case Op::Sinh: {  // (exp(a) -+ exp(-a)) / 2, exp(a) - 1
            LogForm up, down;
            up.log = record.operands[0];
            down.log = op == Op::Expm1 ? Value{literal(T(0)), 0, Kind::scalar, -1, -1}
                                       : operation(Op::Neg, record.operands[0]);
            form = log_of_sum(up, down, op != Op::Cosh);
            if (op != Op::Expm1) {
                form.log = operation(Op::Sub, form.log, Value{literal(T(0.6931471805599453)), 0, Kind::scalar, -1, -1});
            }
            break;
        }
        case Op::Mul: {
            const LogForm a = operand(0), b = operand(1);
            form = signed_product(a, b, operation(Op::Add, a.log, b.log));
            break;
        }
        case Op::Div: {
            const LogForm a = operand(0), b = operand(1);
            form = signed_product(a, b, operation(Op::Sub, a.log, b.log));
            break;
        }
        case Op::Neg: {
            form = operand(0);
            form.sign = form.positive ? Value{literal(T(-1)), 0, Kind::scalar, -1, -1} : operation(Op::Neg, form.sign);
            form.positive = false;
            break;
        }
        case Op::Inv: {
            form = operand(0);
            form.log = operation(Op::Neg, form.log);
            break;
        }
        case Op::Square:
        case Op::Cube: {
            form = operand(0);
            form.log =
                operation(Op::Mul, form.log, Value{literal(op == Op::Square ? T(2) : T(3)), 0, Kind::scalar, -1, -1});
            form.positive = form.positive || op == Op::Square;
            break;
        }
        case Op::Sqrt: {
            form = operand(0);
            form.log = operation(Op::Mul, form.log, Value{literal(T(0.5)), 0, Kind::scalar, -1, -1});
            if (!form.positive) {  // the root of a negative number: not a number
                form.sign = operation(Op::Sqrt, form.sign);
            }
            break;
        }
        case Op::Pow: {
            const LogForm base = operand(0);
            form.log = operation(Op::Mul, record.operands[1], base.log);
            form.positive = base.positive;
            if (!form.positive) {  // (-1)^b: a sign for whole numbers, else not a number
                form.sign = operation(Op::Pow, base.sign, record.operands[1]);
            }
            break;
        }
        default:
            form.log = operation(Op::Log, operation(Op::Abs, value));
            form.sign = operation(Op::Sign, value);
            form.positive = false;
    }
    form.ready = true;
    if (computed) {
        if (log_forms_.size() <= id) {
            log_forms_.resize(id + 1);
        }
        log_forms_[id] = form;
    }
    return form;
}

template <class T>
void Program<T>::extend(Op op, const Value* operands) {
    const bool quotient = op == Op::Div || op == Op::Inv;
    if (!(range_role(op) == RangeRole::logarithm && may_overflow(operands[0])) &&
        !(quotient && may_overflow(operands[op == Op::Div ? 1 : 0]))) {
        return;
    }
    const Value plain = stack_.back();
    Value other, sign;
    LogForm form;
    if (quotient) {
        form = log_form(plain);
        other = operation(Op::Exp, form.log);
        if (!form.positive) {
            other = operation(Op::Mul, other, form.sign);
        }
    } else {
        form = log_form(operands[0]);
        other = form.log;
        if (op != Op::Log) {
            const double base = op == Op::Log2 ? 1.4426950408889634 : 0.43429448190325176;
            other = operation(Op::Mul, other, Value{literal(static_cast<T>(base)), 0, Kind::scalar, -1, -1});
        }
    }
    if (other.kind != Kind::slot) {
        other = materialise(other);
    }
    if (quotient || form.positive) {
        sign = materialise({literal(T(1)), 0, Kind::scalar, -1, -1});
    } else {
        sign = form.sign.kind == Kind::slot ? form.sign : materialise(form.sign);
    }
    const Value all[3] = {plain, other, sign};
    const std::int32_t out = top_++;
    append(kernels_->prefer, kPrefer, 3, vv, all, out);
    const Value result{slot(out), 0, Kind::slot, static_cast<std::int32_t>(code_.size()) - 1, out};
    if (quotient) {
        log_forms_.resize(code_.size());
        log_forms_.back() = form;
    }
    stack_.back() = result;
}

#define BALMER_INSTANTIATE(T)                                                                           \
    template typename Program<T>::Value Program<T>::operation(Op, const Value&, const Value&);          \
    template bool Program<T>::may_overflow(const Value&) const noexcept;                                \
    template typename Program<T>::LogForm Program<T>::log_of_sum(const LogForm&, const LogForm&, bool); \
    template typename Program<T>::LogForm Program<T>::log_form(const Value&);                           \
    template void Program<T>::extend(Op, const Value*)
BALMER_INSTANTIATE(double);
BALMER_INSTANTIATE(float);
#undef BALMER_INSTANTIATE

}  // namespace balmer::eval
