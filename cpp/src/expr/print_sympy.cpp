// to_sympy: templates filled with parenthesised operands, user operators written out.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "balmer/expr/print.hpp"
#include "grammar.hpp"

namespace balmer {
namespace {

/// Forms that use an operand twice double the text with each level: beyond this nobody could read it, nor sympy.
constexpr std::size_t kLongestText = std::size_t{1} << 20;

constexpr double kLargestIntegerExponent = 64;

class SympyPrinter {
   public:
    explicit SympyPrinter(const OperatorSet& operators) : operators_(operators) {}

    /// Appends the subtree that ends at `i`, with features[k] for feature k.
    void print(const Expression& expression, std::size_t i, std::span<const std::string> features, std::string& out) {
        const Node& node = expression.nodes[i];
        if (node.op == Op::Constant) {
            out += number(expression.constants[node.index]);
        } else if (node.op == Op::Feature) {
            out += features[node.index];
        } else {
            std::vector<std::string> operands(node.arity);
            for (std::size_t k = 0; k < node.arity; ++k) {
                const std::size_t operand = expression.operand(i, k);
                operands[k] = '(';
                if (node.op == Op::Pow && k == 1) {
                    print_exponent(expression, operand, features, operands[k]);
                } else {
                    print(expression, operand, features, operands[k]);
                }
                operands[k] += ')';
            }
            if (OperatorSet::is_user(node.op)) {
                const UserOperator& user = operators_.user(node.op);
                if (user.is_compiled()) {
                    print_call(user.name, operands, out);
                } else {
                    print(user.body, user.body.root(), operands, out);
                }
            } else {
                fill(info(node.op).sympy, operands, out);
            }
        }
        if (out.size() > kLongestText) {
            throw std::invalid_argument("the sympy form of the expression is longer than 1 MiB");
        }
    }

   private:
    static void print_call(const std::string& name, const std::vector<std::string>& operands, std::string& out) {
        out += name + '(';
        for (std::size_t k = 0; k < operands.size(); ++k) out += (k > 0 ? ", " : "") + operands[k];
        out += ')';
    }

    /// Always a float: sympy computes with integers exactly, and 9 ** 9 ** 9 would take for ever.
    static std::string number(double value) {
        if (std::isnan(value)) return "nan";
        if (std::isinf(value)) return value < 0 ? "-oo" : "oo";
        std::string text = number_text(value);
        if (text.find_first_of(".e") == std::string::npos) text += ".0";
        return text;
    }

    /// Small whole exponents as integers: sympy knows laws for x**2 that it has not for x**2.0. The base must not be a
    /// number, see `number`.
    void print_exponent(const Expression& expression, std::size_t i, std::span<const std::string> features,
                        std::string& out) {
        const Node& node = expression.nodes[i];
        const double value = node.op == Op::Constant ? expression.constants[node.index] : 0.5;
        if (value == std::rint(value) && std::fabs(value) <= kLargestIntegerExponent) {
            out += value == 0 ? "0" : number_text(value);
        } else {
            print(expression, i, features, out);
        }
    }

    /// The table's column, the names a, b, c replaced.
    static void fill(std::string_view column, std::span<const std::string> operands, std::string& out) {
        for (std::size_t k = 0; k < column.size();) {
            std::size_t end = k;
            while (end < column.size() && (detail::is_letter(column[end]) || detail::is_digit(column[end]))) ++end;
            const bool is_operand = end == k + 1 && column[k] >= 'a' && column[k] <= 'c';
            if (is_operand) {
                out += operands[static_cast<std::size_t>(column[k] - 'a')];
            } else {
                end = std::max(end, k + 1);
                out += column.substr(k, end - k);
            }
            k = end;
        }
    }

    const OperatorSet& operators_;
};

}  // namespace

std::string to_sympy(const Expression& expression, std::span<const std::string> feature_symbols,
                     const OperatorSet& operators) {
    if (expression.n_features() > feature_symbols.size()) {
        throw std::invalid_argument("the expression has " + std::to_string(expression.n_features()) +
                                    " features, but there are " + std::to_string(feature_symbols.size()) + " symbols");
    }
    std::string out;
    SympyPrinter(operators).print(expression, expression.root(), feature_symbols, out);
    return out;
}

}  // namespace balmer
