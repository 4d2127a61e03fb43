// Operators and expressions.
#include <pybind11/operators.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <sstream>
#include <tuple>

#include "balmer/expr/op.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "balmer/expr/simplify.hpp"
#include "bound.hpp"
#include "low_level_callable.hpp"

namespace balmer::python {
namespace {

using Operators = std::shared_ptr<const Context>;  // a context without names

/// A compiled operator as Python gives it: its name, the capsule of its function, those of its derivatives.
using Compiled = std::tuple<std::string, py::capsule, std::vector<py::capsule>>;

/// A function of `arity` operands. Throws std::invalid_argument for another signature.
LowLevelFunction block_function(const py::capsule& capsule, const std::string& name, std::size_t arity) {
    LowLevelFunction function(capsule);
    if (!function.is_known || function.result != "void" || function.n_arrays != arity + 1) {
        throw std::invalid_argument("operator '" + name + "' is compiled with the signature '" + function.signature +
                                    "': write it as 'void (double *out, double *a, " +
                                    (arity == 2 ? "double *b, " : "") +
                                    "size_t n)', with a last parameter 'void *' if it has user data");
    }
    return function;
}

BlockFunction as_block_function(const LowLevelFunction& function) {
    if (function.n_arrays == 2) {
        return
            [function](double* out, const double* a, const double*, std::size_t n) { function.call<void>(out, a, n); };
    }
    return
        [function](double* out, const double* a, const double* b, std::size_t n) { function.call<void>(out, a, b, n); };
}

CompiledOperator compiled_operator(const Compiled& compiled) {
    const auto& [name, value, derivatives] = compiled;
    const std::size_t arity = LowLevelFunction(value).n_arrays == 3 ? 2 : 1;
    CompiledOperator made{name, arity, as_block_function(block_function(value, name, arity)), {}};
    for (const py::capsule& derivative : derivatives) {
        made.derivatives.push_back(as_block_function(block_function(derivative, name, arity)));
    }
    return made;
}

Operators make_operators(const std::vector<std::string>& definitions, const std::vector<Compiled>& compiled) {
    auto context = std::make_shared<Context>();
    for (const Compiled& op : compiled) context->operators.define(compiled_operator(op));
    for (const std::string& definition : definitions) context->operators.define(definition);
    if (!compiled.empty()) {
        context->compiled = {py::cast(compiled).release().ptr(), [](PyObject* held) {
                                 const py::gil_scoped_acquire locked;
                                 Py_DECREF(held);
                             }};
    }
    return context;
}

/// The operators without those of these names.
Operators without(const Context& context, const std::vector<std::string>& names) {
    auto rest = std::make_shared<Context>(Context{{}, context.names, context.compiled});
    for (const UserOperator& user : context.operators.user()) {
        if (std::ranges::find(names, user.name) != names.end()) continue;
        if (user.is_compiled()) {
            rest->operators.define(CompiledOperator{user.name, user.parameters.size(), user.value, user.derivatives},
                                   user.complexity);
        } else {
            rest->operators.define(user.text, user.complexity);
        }
    }
    return rest;
}

/// Names of the compiled operators in a formula, and in the definitions of operators that it uses.
void add_compiled(const Expression& expression, const OperatorSet& operators, std::vector<std::string>& names) {
    for (const Node& node : expression.nodes) {
        if (node.is_leaf() || !OperatorSet::is_user(node.op)) continue;
        const UserOperator& user = operators.user(node.op);
        if (!user.is_compiled()) {
            add_compiled(user.body, operators, names);
        } else if (std::ranges::find(names, user.name) == names.end()) {
            names.push_back(user.name);
        }
    }
}

/// Of the operators that are text and need no compiled one.
std::vector<std::string> definitions_of(const Context& context) {
    std::vector<std::string> texts;
    for (const UserOperator& user : context.operators.user()) {
        std::vector<std::string> compiled;
        add_compiled(user.body, context.operators, compiled);
        if (!user.is_compiled() && compiled.empty()) texts.push_back(user.text);
    }
    return texts;
}

BoundExpression parse_bound(const std::string& text, const std::optional<std::vector<std::string>>& names,
                            const Operators& operators) {
    Expression expression = parse(text, names ? std::span<const std::string>(*names) : std::span<const std::string>{},
                                  operators->operators);
    if (!names) return {std::move(expression), operators};
    return {std::move(expression), std::make_shared<const Context>(operators->with_names(*names))};
}

bool same_words(const Context& a, const Context& b) {
    const auto text = [](const UserOperator& user) { return user.text; };
    return &a == &b || (a.names == b.names &&
                        std::ranges::equal(a.operators.user(), b.operators.user(), std::equal_to{}, text, text));
}

/// Two texts may differ in the places of their operators in the set, so user operators are compared by name.
bool equal(const BoundExpression& a, const BoundExpression& b) {
    return a.expression == b.expression && same_words(*a.context, *b.context);
}

std::size_t hash(const BoundExpression& e) {
    std::size_t h = static_cast<std::size_t>(exact_hash(e.expression));
    for (const std::string& name : e.context->names) h = h * 31 + std::hash<std::string>{}(name);
    return h;
}

std::string node_name(const BoundExpression& e, const Node& node) {
    if (node.op == Op::Constant) return "constant";
    if (node.op == Op::Feature) return "feature";
    return std::string(e.context->operators.name(node.op));
}

std::vector<std::tuple<std::string, int, std::uint32_t>> nodes_of(const BoundExpression& e) {
    std::vector<std::tuple<std::string, int, std::uint32_t>> nodes;
    for (const Node& node : e.expression.nodes) nodes.emplace_back(node_name(e, node), node.arity, node.index);
    return nodes;
}

/// As the table of operators has it, leaves counting 1.
int complexity_of(const BoundExpression& e) { return e.context->operators.complexity(e.expression); }

BoundExpression with_constants(const BoundExpression& e, const std::vector<double>& values) {
    if (values.size() != e.expression.constants.size()) {
        throw std::invalid_argument("the expression has " + std::to_string(e.expression.constants.size()) +
                                    " constants, not " + std::to_string(values.size()));
    }
    BoundExpression copy = e;
    copy.expression.constants = values;
    return copy;
}

/// The same formula over other columns: feature j is column places[j] of those named.
BoundExpression over(const BoundExpression& e, const std::vector<std::string>& names,
                     const std::vector<std::size_t>& places) {
    BoundExpression moved{e.expression, std::make_shared<const Context>(e.context->with_names(names))};
    for (Node& node : moved.expression.nodes) {
        if (node.op != Op::Feature) continue;
        if (node.index >= places.size() || places[node.index] >= names.size()) {
            throw std::invalid_argument("feature " + std::to_string(node.index) + " has no place among " +
                                        std::to_string(names.size()) + " columns");
        }
        node.index = static_cast<std::uint32_t>(places[node.index]);
    }
    return moved;
}

/// The last features become numbers.
BoundExpression substitute(const BoundExpression& e, const std::vector<double>& values) {
    const std::vector<std::string>& names = e.context->names;
    if (values.size() > names.size()) {
        throw std::invalid_argument("there are " + std::to_string(values.size()) + " values for " +
                                    std::to_string(names.size()) + " variables");
    }
    const std::size_t kept = names.size() - values.size();
    Expression numeric;
    for (const Node& node : e.expression.nodes) {
        if (node.op == Op::Constant) {
            numeric.push_constant(e.expression.constants[node.index]);
        } else if (node.op != Op::Feature) {
            numeric.push(node.op, node.arity);
        } else if (node.index < kept) {
            numeric.push_feature(node.index);
        } else {
            numeric.push_constant(values[node.index - kept]);
        }
    }
    Context context = e.context->with_names({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(kept)});
    return {std::move(numeric), std::make_shared<const Context>(std::move(context))};
}

/// Blank-separated words.
std::vector<std::string> words(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<std::string> result;
    for (std::string word; stream >> word;) result.push_back(word);
    return result;
}

constexpr const char* kUnitNames[] = {"same", "product",   "quotient", "power", "inverse", "squared", "cubed",
                                      "root", "cube_root", "pure",     "ratio", "truth",   "second"};

void bind_operators(py::module_& m) {
    py::class_<OpInfo>(m, "OpInfo")
        .def_property_readonly("name", [](const OpInfo& i) { return std::string(i.name); })
        .def_property_readonly("aliases", [](const OpInfo& i) { return words(i.aliases); })
        .def_readonly("arity", &OpInfo::arity)
        .def_property_readonly("text", [](const OpInfo& i) { return std::string(i.text); })
        .def_property_readonly("latex", [](const OpInfo& i) { return std::string(i.latex); })
        .def_property_readonly("sympy", [](const OpInfo& i) { return std::string(i.sympy); })
        .def_property_readonly("value", [](const OpInfo& i) { return std::string(i.value); })
        .def_readonly("complexity", &OpInfo::complexity)
        .def_readonly("low", &OpInfo::low)
        .def_readonly("high", &OpInfo::high)
        .def_property_readonly("units", [](const OpInfo& i) { return kUnitNames[static_cast<std::size_t>(i.units)]; })
        .def_readonly("smooth", &OpInfo::smooth);

    m.attr("MAX_ARITY") = kMaxArity;
    m.def("operator_table", [] {
        const std::span<const OpInfo> table = operator_table();
        return std::vector<OpInfo>(table.begin(), table.end());
    });

    py::class_<Context, std::shared_ptr<Context>>(m, "OperatorSet")
        .def(py::init([](const std::vector<std::string>& definitions, const std::vector<Compiled>& compiled) {
                 return std::const_pointer_cast<Context>(make_operators(definitions, compiled));
             }),
             py::arg("definitions") = std::vector<std::string>{}, py::arg("compiled") = std::vector<Compiled>{})
        .def(
            "without",
            [](const Context& self, const std::vector<std::string>& names) {
                return std::const_pointer_cast<Context>(without(self, names));
            },
            py::arg("names"))
        .def_property_readonly("definitions", &definitions_of)
        .def(
            "find",
            [](const Context& self, const std::string& name, std::optional<int> arity) -> std::optional<int> {
                const std::optional<Op> op = self.operators.find(name, arity);
                return op ? std::optional<int>(static_cast<int>(*op)) : std::nullopt;
            },
            py::arg("name"), py::arg("arity") = py::none())
        .def(
            "nearest", [](const Context& self, const std::string& name) { return self.operators.nearest(name); },
            py::arg("name"))
        .def(
            "arity", [](const Context& self, int code) { return self.operators.arity(static_cast<Op>(code)); },
            py::arg("code"))
        .def(
            "name",
            [](const Context& self, int code) { return std::string(self.operators.name(static_cast<Op>(code))); },
            py::arg("code"));
}

}  // namespace

void check_names(const BoundExpression& e, std::size_t columns) {
    const std::vector<std::string>& names = e.context->names;
    if (!names.empty() && columns != names.size()) {
        throw std::invalid_argument("X has " + std::to_string(columns) + " columns, but the expression is over " +
                                    std::to_string(names.size()) + " variables");
    }
}

void check_columns(const BoundExpression& e, std::size_t columns) {
    check_names(e, columns);
    if (columns < e.expression.n_features()) {
        throw std::invalid_argument("X has " + std::to_string(columns) + " columns, but the expression uses x" +
                                    std::to_string(e.expression.n_features() - 1) + ": at least " +
                                    std::to_string(e.expression.n_features()) + " are needed");
    }
}

void bind_expr(py::module_& m) {
    bind_operators(m);

    py::class_<BoundExpression>(m, "Expression")
        .def_static("parse", &parse_bound, py::arg("text"), py::arg("names"), py::arg("operators"))
        .def(
            "text",
            [](const BoundExpression& e, int precision) {
                return to_text(e.expression, e.context->names, e.context->operators, {precision});
            },
            py::arg("precision") = 17)
        .def(
            "latex",
            [](const BoundExpression& e, int precision) {
                return to_latex(e.expression, e.context->names, e.context->operators, {precision});
            },
            py::arg("precision") = 17)
        .def(
            "sympy",
            [](const BoundExpression& e, const std::vector<std::string>& symbols) {
                return to_sympy(e.expression, symbols, e.context->operators);
            },
            py::arg("symbols"))
        .def_property_readonly("constants", [](const BoundExpression& e) { return e.expression.constants; })
        .def_property_readonly("names", [](const BoundExpression& e) { return e.context->names; })
        .def_property_readonly("definitions", [](const BoundExpression& e) { return definitions_of(*e.context); })
        .def_property_readonly("operators",
                               [](const BoundExpression& e) { return std::const_pointer_cast<Context>(e.context); })
        .def_property_readonly("compiled",
                               [](const BoundExpression& e) {
                                   std::vector<std::string> names;
                                   add_compiled(e.expression, e.context->operators, names);
                                   return names;
                               })
        .def_property_readonly("size", [](const BoundExpression& e) { return e.expression.size(); })
        .def_property_readonly("depth", [](const BoundExpression& e) { return e.expression.depth(); })
        .def_property_readonly("n_features", [](const BoundExpression& e) { return e.expression.n_features(); })
        .def_property_readonly("complexity", &complexity_of)
        .def_property_readonly("nodes", &nodes_of)
        .def("with_constants", &with_constants, py::arg("values"))
        .def("over", &over, py::arg("names"), py::arg("places"))
        .def("substitute", &substitute, py::arg("values"))
        .def("simplify",
             [](const BoundExpression& e) {
                 return BoundExpression{simplify(e.expression, e.context->operators), e.context};
             })
        .def(
            "__eq__", [](const BoundExpression& a, const BoundExpression& b) { return equal(a, b); }, py::is_operator())
        .def("__hash__", &hash);
}

}  // namespace balmer::python
