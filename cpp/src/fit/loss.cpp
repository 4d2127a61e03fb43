#include "balmer/fit/loss.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "balmer/expr/derivative.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "expr/nearest.hpp"
#include "fit/loss_shape.hpp"

namespace balmer {
namespace {

constexpr std::uint32_t kPrediction = 0, kWeight = 2;
constexpr const char* kForms =
    "write a name such as \"HuberLoss(1.35)\", or a formula such as \"loss(prediction, target) = (prediction - "
    "target)^2\"";

std::string_view trimmed(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

/// A number, or a formula of numbers.
double number(std::string_view text, std::string_view loss) {
    Expression value = parse(text);
    if (value.n_features() == 0) value = substitute(value, {});  // folds
    if (value.nodes.size() != 1 || value.nodes[0].op != Op::Constant) {
        throw std::invalid_argument("the parameter " + quoted(text) + " of " + std::string(loss) + " is not a number");
    }
    return value.constants[0];
}

/// "HuberLoss(1.35)", "LPDistLoss{3}()", "L1DistLoss" as name and numbers.
struct Call {
    std::string_view name;
    std::vector<double> arguments;
};

Call read_call(std::string_view text) {
    const std::size_t end = std::min(text.find_first_of("({"), text.size());
    Call call{trimmed(text.substr(0, end)), {}};
    std::string_view rest = text.substr(end);
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    if (call.name.empty() || !std::ranges::all_of(call.name, letter)) {
        throw std::invalid_argument("the loss " + quoted(text) + " is neither a name nor a definition: " + kForms);
    }
    for (const char* brackets : {"{}", "()"}) {
        if (rest.empty() || rest[0] != brackets[0]) continue;
        const std::size_t close = brackets[0] == '(' ? rest.rfind(')') : rest.find('}');
        if (close == std::string_view::npos) {
            throw std::invalid_argument("the loss " + quoted(text) + " lacks a '" + brackets[1] + "'");
        }
        std::string_view inside = trimmed(rest.substr(1, close - 1));
        while (!inside.empty()) {
            const std::size_t comma = std::min(inside.find(','), inside.size());
            call.arguments.push_back(number(trimmed(inside.substr(0, comma)), call.name));
            inside.remove_prefix(std::min(comma + 1, inside.size()));
        }
        rest = trimmed(rest.substr(close + 1));
    }
    if (!rest.empty()) {
        throw std::invalid_argument("the loss " + quoted(text) + " goes on after its end, with " + quoted(rest) + ": " +
                                    kForms);
    }
    return call;
}

const NamedLoss& find_named(std::string_view name) {
    for (const NamedLoss& loss : named_losses()) {
        if (name == loss.name || name == loss.alias) return loss;
    }
    detail::NearestName nearest(name);
    for (const NamedLoss& loss : named_losses()) {
        nearest.consider(loss.name);
        if (!loss.alias.empty()) nearest.consider(loss.alias);
    }
    const std::string hint =
        nearest.result().empty() ? std::string() : "did you mean " + quoted(nearest.result()) + "? Or ";
    throw std::invalid_argument("there is no loss " + quoted(name) + ": " + hint + kForms);
}

Expression named(std::string_view text) {
    const Call call = read_call(text);
    const NamedLoss& loss = find_named(call.name);
    const std::string name(loss.name);
    const auto n = static_cast<std::size_t>(loss.n_parameters);
    if (call.arguments.size() > n) {
        throw std::invalid_argument(name + " takes " + std::to_string(n) + " parameters, but " + quoted(text) +
                                    " has " + std::to_string(call.arguments.size()));
    }
    std::array<Expression, 4> values = {Expression::feature(0), Expression::feature(1), {}, {}};
    for (std::size_t k = 0; k < n; ++k) {
        const NamedLoss::Parameter& parameter = loss.parameters[k];
        const double value = k < call.arguments.size() ? call.arguments[k] : parameter.standard;
        if (k >= call.arguments.size() && std::isnan(value)) {
            throw std::invalid_argument(name + " needs a parameter: write " + quoted(name + "(0.5)"));
        }
        if (!(value > parameter.low && value < parameter.high)) {
            throw std::invalid_argument("the parameter of " + name + " is " + number_text(value) + ": it lies " +
                                        (std::isfinite(parameter.high) ? "between " + number_text(parameter.low) +
                                                                             " and " + number_text(parameter.high)
                                                                       : "above " + number_text(parameter.low)));
        }
        values[2 + k] = Expression::constant(value);
    }
    const std::array<const Expression*, 4> arguments = {&values[0], &values[1], &values[2], &values[3]};
    return substitute(parse_definition(loss.definition).body, arguments);
}

bool uses(const Expression& e, std::uint32_t feature) {
    return std::ranges::any_of(e.nodes, [&](const Node& n) { return n.op == Op::Feature && n.index == feature; });
}

/// The formula, and whether it has the weight in it.
std::pair<Expression, bool> defined(std::string_view text, const OperatorSet& operators) {
    const Definition definition = parse_definition(text, operators);
    const std::size_t n = definition.parameters.size();
    if (n != 2 && n != 3) {
        throw std::invalid_argument("the loss " + quoted(text) + " has " + std::to_string(n) +
                                    (n == 1 ? " parameter" : " parameters") +
                                    ": it takes prediction and target, and optionally the weight of the row");
    }
    Expression body = expand(definition.body, operators);
    if (!uses(body, kPrediction)) {
        throw std::invalid_argument("the loss " + quoted(text) + " does not depend on the prediction " +
                                    quoted(definition.parameters[0]));
    }
    return {std::move(body), n == 3};
}

}  // namespace

Loss::Loss(std::string_view text, const OperatorSet& operators) : text_(trimmed(text)) {
    const bool definition = text_.find("->") != std::string::npos || text_.find('=') != std::string::npos;
    bool has_weight = false;
    if (definition) {
        std::tie(rows_[0][0], has_weight) = defined(text_, operators);
    } else {
        rows_[0][0] = named(text_);
    }
    for (std::size_t order = 1; order < rows_.size(); ++order) {
        rows_[order][0] = derivative(rows_[order - 1][0], kPrediction);
    }
    const Expression weight = Expression::feature(kWeight);
    for (auto& row : rows_) {
        row[1] = has_weight ? row[0] : Expression::apply(Op::Mul, weight, row[0]);
    }
    shape_ = fit::find_shape(*this);
}

double Loss::operator()(double prediction, double target, double weight, int order) const {
    const double features[] = {prediction, target, weight};
    return fit::evaluate_row(row(order, true), features);
}

double Kink::at(double target) const noexcept {
    switch (place) {
        case Place::offset:
            return target + value;
        case Place::fixed:
            return value;
        case Place::ratio:
            return target * value;
        case Place::reciprocal:
            return value / target;
    }
    return value;
}

template <class T>
double mean_loss(const Expression& expression, const Evaluator<T>& evaluator, const Loss& loss, std::size_t rows,
                 Workspace<T>& workspace, double bound) {
    const LossShape& shape = loss.shape();
    const Dataset<T>& data = evaluator.data();
    if (loss.is_least_squares() && data.target() != nullptr) {
        return shape.least_squares *
               evaluator.mean_squared_error(expression, rows, workspace, bound / shape.least_squares);
    }
    return evaluator.mean_loss(expression, loss.row(0, data.weights() != nullptr), rows, workspace,
                               shape.non_negative ? bound : std::numeric_limits<double>::infinity());
}

template double mean_loss<double>(const Expression&, const Evaluator<double>&, const Loss&, std::size_t,
                                  Workspace<double>&, double);
template double mean_loss<float>(const Expression&, const Evaluator<float>&, const Loss&, std::size_t,
                                 Workspace<float>&, double);

}  // namespace balmer
