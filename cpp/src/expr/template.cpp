#include "balmer/expr/template.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "balmer/expr/derivative.hpp"
#include "expr/template_reader.hpp"

namespace balmer {

namespace {

/// As a role, n parameters are a sum: 2 n - 1 nodes.
constexpr std::size_t kMaxParameters = (kMaxNodes + 1) / 2;

/// A part in which constant k is feature arity + k, so that a derivative keeps the constants apart.
Expression with_constants_as_features(const Expression& part, std::size_t arity) {
    Expression result;
    result.nodes = part.nodes;
    for (Node& node : result.nodes) {
        if (node.op == Op::Constant) node = Node::feature(static_cast<std::uint32_t>(arity) + node.index);
    }
    return result;
}

/// Puts parts into the body of a template, node by node.
class Composition {
   public:
    Composition(std::span<const Expression> roles, std::span<const double> numbers) : roles_(roles) {
        for (const Expression& role : roles) {
            first_.push_back(out_.expression.constants.size());
            out_.expression.constants.insert(out_.expression.constants.end(), role.constants.begin(),
                                             role.constants.end());
        }
        out_.n_free = out_.expression.constants.size();
        out_.expression.constants.insert(out_.expression.constants.end(), numbers.begin(), numbers.end());
    }

    void number(std::uint32_t index) { push_constant(out_.n_free + index); }
    void variable(std::uint32_t feature) { out_.expression.push_feature(feature); }
    void parameter(std::size_t k) { push_constant(first_.back() + k); }
    void apply(const Node& node) { out_.expression.push(node.op, node.arity); }

    /// The last `arity` operands become the arguments of the part.
    void call(std::size_t part, std::size_t arity) {
        inline_part(roles_[part], arity, [&](const Node& node) { push_constant(first_[part] + node.index); });
    }

    /// The same for a derivative of the part with its constants as features.
    void call_derivative(const Expression& derivative, std::size_t part, std::size_t arity) {
        std::vector<double>& constants = out_.expression.constants;
        const std::size_t first_number = constants.size();
        constants.insert(constants.end(), derivative.constants.begin(), derivative.constants.end());
        inline_part(derivative, arity, [&](const Node& node) {
            if (node.op == Op::Constant) {
                push_constant(first_number + node.index);
            } else {
                push_constant(first_[part] + node.index - arity);
            }
        });
    }

    [[nodiscard]] bool fits() const noexcept { return out_.expression.size() <= kMaxNodes; }
    [[nodiscard]] Composed take() { return std::move(out_); }

   private:
    void push_constant(std::size_t index) {
        out_.expression.nodes.push_back(Node::constant(static_cast<std::uint32_t>(index)));
    }

    /// `other` is given the leaves that are no arguments.
    template <class Other>
    void inline_part(const Expression& part, std::size_t arity, const Other& other) {
        std::vector<Node>& nodes = out_.expression.nodes;
        std::vector<std::vector<Node>> arguments(arity);
        for (std::size_t k = arity; k-- > 0;) {
            const auto begin = nodes.end() - nodes.back().size;
            arguments[k].assign(begin, nodes.end());
            nodes.erase(begin, nodes.end());
        }
        for (const Node& node : part.nodes) {
            if (node.op == Op::Feature && node.index < arity) {
                nodes.insert(nodes.end(), arguments[node.index].begin(), arguments[node.index].end());
            } else if (node.is_leaf()) {
                other(node);
            } else {
                out_.expression.push(node.op, node.arity);
            }
        }
    }

    std::span<const Expression> roles_;
    std::vector<std::size_t> first_;  // index of the first constant of each role
    Composed out_;
};

}  // namespace

Template::Template(std::string combine, std::vector<std::string> parts, std::vector<std::string> variables,
                   std::vector<Parameters> parameters, const OperatorSet& operators)
    : combine_(std::move(combine)),
      parts_(std::move(parts)),
      variables_(std::move(variables)),
      parameters_(std::move(parameters)),
      arities_(parts_.size(), 0),
      operators_(operators),
      first_call_(operators.user().size()) {
    for (const Parameters& vector : parameters_) {
        if (vector.size == 0) {
            throw std::invalid_argument("the vector of parameters '" + vector.name + "' has 0 values: give 1 at least");
        }
        n_parameters_ += vector.size;
    }
    if (n_parameters_ > kMaxParameters) {
        throw std::invalid_argument("the template has " + std::to_string(n_parameters_) + " parameters: at most " +
                                    std::to_string(kMaxParameters) + " are possible");
    }
    TemplateReader(*this).run();
}

Expression Template::parameters_role(std::span<const double> values) {
    Expression role = Expression::constant(values[0]);
    for (const double value : values.subspan(1)) role.push_constant(value).push(Op::Add, 2);
    return role;
}

std::optional<Composed> Template::compose(std::span<const Expression> roles) const {
    Composition composition(roles, body_.constants);
    for (const Node& node : body_.nodes) {
        const auto code = static_cast<std::size_t>(node.op);
        if (node.op == Op::Constant) {
            composition.number(node.index);
        } else if (node.op == Op::Feature && node.index < variables_.size()) {
            composition.variable(node.index);
        } else if (node.op == Op::Feature) {
            composition.parameter(node.index - variables_.size());
        } else if (code < kFirstUserOp + first_call_) {
            composition.apply(node);
        } else {
            const Call& call = calls_[code - kFirstUserOp - first_call_];
            const std::size_t arity = arities_[call.part];
            if (call.by.empty()) {
                composition.call(call.part, arity);
            } else if (const auto slope = derivative_of(roles[call.part], call)) {
                composition.call_derivative(*slope, call.part, arity);
            } else {
                return std::nullopt;
            }
        }
        if (!composition.fits()) return std::nullopt;
    }
    return composition.take();
}

std::optional<Expression> Template::derivative_of(const Expression& part, const Call& call) const {
    Expression result = with_constants_as_features(part, arities_[call.part]);
    try {
        for (const std::uint32_t argument : call.by) result = derivative(result, argument, operators_);
    } catch (const std::invalid_argument&) {  // too long, or no formula
        return std::nullopt;
    }
    return result;
}

void Template::take_back(const Composed& composed, std::span<Expression> roles) {
    auto next = composed.expression.constants.begin();
    for (Expression& role : roles) {
        const auto count = static_cast<std::ptrdiff_t>(role.constants.size());
        std::copy_n(next, count, role.constants.begin());
        next += count;
    }
}

Expression Template::written_out(const Composed& composed, std::vector<std::size_t>& sources) {
    Expression result = composed.expression;
    result.constants.clear();
    sources.clear();
    for (Node& node : result.nodes) {
        if (node.op != Op::Constant) continue;
        sources.push_back(node.index);
        const double value = composed.expression.constants[node.index];
        node.index = static_cast<std::uint32_t>(result.constants.size());
        result.constants.push_back(value);
    }
    return result;
}

}  // namespace balmer
