#include "balmer/expr/operator_set.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "balmer/core/error.hpp"
#include "balmer/expr/parse.hpp"
#include "grammar.hpp"
#include "nearest.hpp"

namespace balmer {
namespace {

/// Nodes that the evaluation of a user operator costs when all that it uses is written out. Operators that use one
/// another twice double with each definition, so there is a limit.
constexpr std::size_t kMaxExpandedNodes = 10'000;

std::string described(std::string_view name) { return "operator '" + std::string(name) + "'"; }

}  // namespace

Op OperatorSet::define(std::string_view definition, int complexity) {
    Definition parsed = parse_definition(definition, *this);
    if (parsed.name.empty()) {
        throw ParseError("an operator needs a name: write name(x) = ..., not '" + std::string(definition) + "'", 0);
    }
    if (parsed.parameters.size() > kMaxArity) {
        throw std::invalid_argument(described(parsed.name) + " has " + std::to_string(parsed.parameters.size()) +
                                    " parameters, but at most " + std::to_string(kMaxArity) + " are possible");
    }
    std::size_t expanded = 0;
    for (const Node& node : parsed.body.nodes) expanded += is_user(node.op) ? user(node.op).expanded_nodes : 1;
    if (expanded > kMaxExpandedNodes) {
        throw std::invalid_argument(described(parsed.name) + " stands for more than " +
                                    std::to_string(kMaxExpandedNodes) +
                                    " nodes when the operators that it uses are written out");
    }
    UserOperator op;
    op.name = std::move(parsed.name);
    op.parameters = std::move(parsed.parameters);
    op.text = definition;
    op.complexity = complexity;
    op.body = std::move(parsed.body);
    op.expanded_nodes = expanded;
    return add(std::move(op));
}

Op OperatorSet::define(CompiledOperator compiled, int complexity) {
    const std::string where = described(compiled.name);
    if (!detail::is_identifier(compiled.name)) {
        throw std::invalid_argument(where +
                                    " is compiled and needs a name of letters, digits and _ that begins with "
                                    "a letter or _");
    }
    if (compiled.arity < 1 || compiled.arity > kMaxCompiledArity) {
        throw std::invalid_argument(where + " is compiled and takes " + std::to_string(compiled.arity) +
                                    " operands, but one or two are possible");
    }
    const auto missing = [](const BlockFunction& function) { return function == nullptr; };
    if (missing(compiled.value) || std::ranges::any_of(compiled.derivatives, missing)) {
        throw std::invalid_argument(where + " has an empty function: give each of them, or no derivatives");
    }
    if (!compiled.derivatives.empty() && compiled.derivatives.size() != compiled.arity) {
        throw std::invalid_argument(where + " has " + std::to_string(compiled.derivatives.size()) +
                                    " derivatives: give one for each of its " + std::to_string(compiled.arity) +
                                    " operands, or none");
    }
    UserOperator op;
    op.parameters = {"a"};
    if (compiled.arity == 2) op.parameters.push_back("b");
    op.text = compiled.name + (compiled.arity == 2 ? "(a, b)" : "(a)");
    op.name = std::move(compiled.name);
    op.complexity = complexity;
    op.expanded_nodes = 1;
    op.value = std::move(compiled.value);
    op.derivatives = std::move(compiled.derivatives);
    return add(std::move(op));
}

Op OperatorSet::add(UserOperator op) {
    const std::string where = described(op.name);
    if (op.complexity < 0) {
        throw std::invalid_argument(where + " has complexity " + std::to_string(op.complexity) + ", which is negative");
    }
    for (const UserOperator& other : user_) {
        if (other.name == op.name) throw std::invalid_argument(where + " is defined twice");
    }
    if (user_.size() == kMaxUserOps) {
        throw std::invalid_argument(where + " is one too many: " + std::to_string(kMaxUserOps) + " are possible");
    }
    user_.push_back(std::move(op));
    return static_cast<Op>(kFirstUserOp + user_.size() - 1);
}

std::optional<Op> OperatorSet::find(std::string_view name, std::optional<int> arity) const noexcept {
    for (std::size_t k = 0; k < user_.size(); ++k) {
        if (user_[k].name == name && (!arity || static_cast<int>(user_[k].parameters.size()) == *arity)) {
            return static_cast<Op>(kFirstUserOp + k);
        }
    }
    const detail::BuiltinName* found = detail::find_builtin(name);
    if (found == detail::kBuiltinNames.data() + detail::kBuiltinNames.size()) return std::nullopt;
    if (arity && found->arity != *arity) return std::nullopt;
    return found->op;
}

std::string OperatorSet::nearest(std::string_view name) const {
    detail::NearestName nearest(name);
    for (const UserOperator& op : user_) nearest.consider(op.name);
    for (const detail::BuiltinName& builtin : detail::kBuiltinNames) {
        if (detail::is_identifier(builtin.name)) nearest.consider(builtin.name);
    }
    return nearest.result();
}

std::uint8_t OperatorSet::arity(Op op) const noexcept {
    if (op == Op::Constant || op == Op::Feature) return 0;
    return is_user(op) ? static_cast<std::uint8_t>(user(op).parameters.size()) : info(op).arity;
}

std::string_view OperatorSet::name(Op op) const noexcept {
    if (op == Op::Constant) return "constant";
    if (op == Op::Feature) return "feature";
    return is_user(op) ? std::string_view(user(op).name) : info(op).name;
}

int OperatorSet::complexity(Op op) const noexcept {
    if (op == Op::Constant || op == Op::Feature) return 1;
    return is_user(op) ? user(op).complexity : info(op).complexity;
}

int OperatorSet::complexity(const Expression& expression) const noexcept {
    int sum = 0;
    for (const Node& node : expression.nodes) sum += node.is_leaf() ? 1 : complexity(node.op);
    return sum;
}

const OperatorSet& OperatorSet::builtin() noexcept {
    static const OperatorSet operators;
    return operators;
}

}  // namespace balmer
