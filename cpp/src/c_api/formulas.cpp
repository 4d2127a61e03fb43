// The C interface: operators, data and formulas.
#include "balmer/eval/evaluator.hpp"
#include "balmer/eval/isa.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "balmer/fit/fit.hpp"
#include "balmer/fit/loss.hpp"
#include "balmer/version.hpp"
#include "c_api/handles.hpp"

using namespace balmer;
using namespace balmer::c_api;

namespace {

/// The features as the library sees them.
MatrixView<double> view_of(const balmer_table& table) {
    (void)given(table.X, "X");
    if (table.row_stride == 0 && table.column_stride == 0) {
        return {table.X, table.n_rows, table.n_features, table.n_features, 1};
    }
    return {table.X, table.n_rows, table.n_features, table.row_stride, table.column_stride};
}

std::span<const double> column_of(const double* values, std::size_t n_rows) {
    return values == nullptr ? std::span<const double>{} : std::span<const double>{values, n_rows};
}

/// Throws std::invalid_argument if the formula needs more features than there are.
void check_features(const balmer_expression& e, const balmer_dataset& dataset) {
    const std::size_t wanted = e.expression.n_features(), there = dataset.rows.n_features();
    if (wanted > there) {
        throw std::invalid_argument("the formula uses feature " + std::to_string(wanted - 1) + ", the data have " +
                                    std::to_string(there) + " columns; give the columns that the formula is about");
    }
}

std::string text_of(const balmer_expression& e, balmer_format format, int precision) {
    if (precision < 1 || precision > 17) {
        throw std::invalid_argument("precision is " + std::to_string(precision) + "; give 1 to 17 digits");
    }
    const Context& words = *e.context;
    switch (format) {
        case BALMER_TEXT:
            return to_text(e.expression, words.names, words.operators, {precision});
        case BALMER_LATEX:
            return to_latex(e.expression, words.names, words.operators, {precision});
        case BALMER_SYMPY: {
            std::vector<std::string> symbols = words.names;
            for (std::size_t k = symbols.size(); k < e.expression.n_features(); ++k) {
                symbols.push_back("x" + std::to_string(k));
            }
            return to_sympy(e.expression, symbols, words.operators);
        }
    }
    throw std::invalid_argument("format is " + std::to_string(static_cast<int>(format)) +
                                "; give BALMER_TEXT, BALMER_LATEX or BALMER_SYMPY");
}

}  // namespace

extern "C" {

int balmer_c_api_version(void) { return BALMER_C_API_VERSION; }

const char* balmer_version(void) { return BALMER_VERSION; }

const char* balmer_isa(balmer_error* error) {
    return guarded(error, static_cast<const char*>(nullptr), [] { return isa().data(); });
}

balmer_operators* balmer_operators_create(balmer_error* error) {
    return guarded(error, static_cast<balmer_operators*>(nullptr), [] { return new balmer_operators; });
}

balmer_status balmer_operators_define(balmer_operators* operators, const char* definition, int complexity,
                                      balmer_error* error) {
    return guarded(
        error, [&] { (void)given(operators, "operators").set.define(&given(definition, "definition"), complexity); });
}

balmer_status balmer_operators_define_compiled(balmer_operators* operators, const char* name, int arity,
                                               balmer_block_function value, const balmer_block_function* derivatives,
                                               void* user, int complexity, balmer_error* error) {
    return guarded(error, [&] {
        const auto with_user = [user](balmer_block_function function) {
            if (function == nullptr) return BlockFunction{};
            return BlockFunction(
                [=](double* out, const double* a, const double* b, std::size_t n) { function(out, a, b, n, user); });
        };
        CompiledOperator compiled{
            &given(name, "name"), static_cast<std::size_t>(std::max(arity, 0)), with_user(value), {}};
        for (int k = 0; derivatives != nullptr && k < arity; ++k) {
            compiled.derivatives.push_back(with_user(derivatives[k]));
        }
        (void)given(operators, "operators").set.define(std::move(compiled), complexity);
    });
}

void balmer_operators_free(balmer_operators* operators) { delete operators; }

balmer_dataset* balmer_dataset_create(const balmer_table* table, balmer_error* error) {
    return guarded(error, static_cast<balmer_dataset*>(nullptr), [&] {
        const balmer_table& t = given(table, "table");
        return new balmer_dataset{
            Dataset<double>(view_of(t), column_of(t.target, t.n_rows), column_of(t.weights, t.n_rows)),
            names_of(t.names, t.n_features)};
    });
}

balmer_dataset* balmer_dataset_view(const balmer_table* table, balmer_error* error) {
    return guarded(error, static_cast<balmer_dataset*>(nullptr), [&] {
        const balmer_table& t = given(table, "table");
        const MatrixView<double> X = view_of(t);
        if (X.row_stride != 1) {
            throw std::invalid_argument("row_stride is " + std::to_string(X.row_stride) +
                                        "; a view needs 1 (column after column), balmer_dataset_create takes any");
        }
        if (t.target != nullptr || t.weights != nullptr) {
            throw std::invalid_argument("a view has neither target nor weights; use balmer_dataset_create");
        }
        return new balmer_dataset{Dataset<double>::view(X), names_of(t.names, t.n_features)};
    });
}

size_t balmer_dataset_n_rows(const balmer_dataset* dataset) { return dataset == nullptr ? 0 : dataset->rows.n_rows(); }

size_t balmer_dataset_n_features(const balmer_dataset* dataset) {
    return dataset == nullptr ? 0 : dataset->rows.n_features();
}

void balmer_dataset_free(balmer_dataset* dataset) { delete dataset; }

balmer_expression* balmer_parse(const char* text, const char* const* names, size_t n_names,
                                const balmer_operators* operators, balmer_error* error) {
    return guarded(error, static_cast<balmer_expression*>(nullptr), [&] {
        auto words = std::make_shared<const Context>(Context{operators_of(operators), names_of(names, n_names)});
        Expression expression = parse(&given(text, "text"), words->names, words->operators);
        return new balmer_expression{std::move(expression), std::move(words)};
    });
}

balmer_expression* balmer_expression_copy(const balmer_expression* expression, balmer_error* error) {
    return guarded(error, static_cast<balmer_expression*>(nullptr),
                   [&] { return new balmer_expression(given(expression, "expression")); });
}

void balmer_expression_free(balmer_expression* expression) { delete expression; }

ptrdiff_t balmer_expression_text(const balmer_expression* expression, balmer_format format, int precision, char* buffer,
                                 size_t capacity, balmer_error* error) {
    return guarded(error, ptrdiff_t{-1}, [&] {
        const std::string text = text_of(given(expression, "expression"), format, precision);
        if (capacity > 0) {
            const std::size_t length = std::min(text.size(), capacity - 1);
            std::memcpy(&given(buffer, "buffer"), text.data(), length);
            buffer[length] = '\0';
        }
        return static_cast<ptrdiff_t>(text.size());
    });
}

int balmer_expression_complexity(const balmer_expression* expression) {
    return expression == nullptr ? 0 : expression->context->operators.complexity(expression->expression);
}

size_t balmer_expression_n_constants(const balmer_expression* expression) {
    return expression == nullptr ? 0 : expression->expression.constants.size();
}

void balmer_expression_get_constants(const balmer_expression* expression, double* constants) {
    if (expression == nullptr || constants == nullptr) return;
    std::ranges::copy(expression->expression.constants, constants);
}

void balmer_expression_set_constants(balmer_expression* expression, const double* constants) {
    if (expression == nullptr || constants == nullptr) return;
    std::copy_n(constants, expression->expression.constants.size(), expression->expression.constants.begin());
}

balmer_status balmer_evaluate(const balmer_expression* const* expressions, size_t n, const balmer_dataset* dataset,
                              double* values, int n_threads, balmer_error* error) {
    return guarded(error, [&] {
        const balmer_dataset& data = given(dataset, "dataset");
        if (n_threads < 1) {
            throw std::invalid_argument("n_threads is " + std::to_string(n_threads) + "; give at least 1");
        }
        if (n == 0) return;
        (void)given(expressions, "expressions");
        std::vector<const Expression*> formulas;
        std::vector<const OperatorSet*> operators;
        for (std::size_t k = 0; k < n; ++k) {
            const balmer_expression& e = given(expressions[k], "an expression");
            check_features(e, data);
            formulas.push_back(&e.expression);
            operators.push_back(&e.context->operators);
        }
        const std::span<double> out{&given(values, "values"), n * data.rows.n_rows()};
        evaluate_all<double>(formulas, operators, data.rows, out, n_threads);
    });
}

balmer_status balmer_evaluate_gradient(const balmer_expression* expression, const balmer_dataset* dataset,
                                       double* values, double* gradient, balmer_error* error) {
    return guarded(error, [&] {
        const balmer_expression& e = given(expression, "expression");
        const balmer_dataset& data = given(dataset, "dataset");
        check_features(e, data);
        const std::size_t rows = data.rows.n_rows();
        Workspace<double> workspace;
        Evaluator<double>(data.rows, e.context->operators)
            .evaluate_with_gradient(e.expression, {&given(values, "values"), rows},
                                    {&given(gradient, "gradient"), rows * data.rows.n_features()}, workspace);
    });
}

balmer_status balmer_fit_constants(balmer_expression* expression, const balmer_dataset* dataset, const char* loss,
                                   int max_iterations, balmer_fit* result, double* errors, balmer_error* error) {
    return guarded(error, [&] {
        balmer_expression& e = given(expression, "expression");
        const balmer_dataset& data = given(dataset, "dataset");
        check_features(e, data);
        if (max_iterations < 0) {
            throw std::invalid_argument("max_iterations is " + std::to_string(max_iterations) + "; give 0 or more");
        }
        FitOptions options;
        options.max_iterations = max_iterations;
        const Evaluator<double> evaluator(data.rows, e.context->operators);
        FitWorkspace<double> workspace;
        FitResult fit;
        bool least_squares = true;
        if (loss == nullptr) {
            fit = fit_constants(e.expression, evaluator, options, workspace);
        } else {
            const Loss chosen(loss, e.context->operators);
            least_squares = chosen.is_least_squares();
            if (!least_squares && errors != nullptr) {
                throw std::invalid_argument("standard errors are those of least squares; with the loss " +
                                            chosen.text() + " pass NULL for them");
            }
            fit = fit_constants(e.expression, evaluator, chosen, options, workspace);
        }
        if (result != nullptr) {
            const bool converged = fit.status == FitStatus::converged_loss || fit.status == FitStatus::converged_step ||
                                   fit.status == FitStatus::nothing_to_fit;
            *result = {fit.loss, fit.iterations, converged ? 1 : 0};
        }
        if (errors != nullptr) std::ranges::copy(standard_errors(e.expression, evaluator, workspace), errors);
    });
}

}  // extern "C"
