// The search: options in, progress out, Ctrl-C on the way.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "balmer/expr/parse.hpp"
#include "balmer/search/named_options.hpp"
#include "balmer/search/search.hpp"
#include "bound.hpp"
#include "low_level_callable.hpp"

namespace balmer::python {
namespace {

struct BoundEntry {
    BoundExpression expression;
    FrontEntry row;  // its expression is the one above
    std::vector<BoundExpression> parts;
};

/// What gives the formulas of a search their words.
struct Words {
    std::shared_ptr<const Context> formulas;
    std::vector<std::shared_ptr<const Context>> parts;  // of a template
};

/// The arguments of parts are "#1", "#2", ...
Words words_of(const Context& operators, const std::vector<std::string>& names, const SearchOptions& options) {
    Words words{std::make_shared<const Context>(operators.with_names(names)), {}};
    if (!options.structure) return words;
    for (const std::size_t arity : options.structure->arities()) {
        std::vector<std::string> arguments;
        for (std::size_t k = 1; k <= arity; ++k) arguments.push_back("#" + std::to_string(k));
        words.parts.push_back(std::make_shared<const Context>(operators.with_names(arguments)));
    }
    return words;
}

std::vector<BoundEntry> bound_front(std::span<const FrontEntry> front, const Words& words) {
    std::vector<BoundEntry> entries;
    entries.reserve(front.size());
    for (const FrontEntry& e : front) {
        BoundEntry entry{{e.expression, words.formulas}, e, {}};
        for (std::size_t k = 0; k < words.parts.size() && k < e.parts.size(); ++k) {
            entry.parts.push_back({e.parts[k], words.parts[k]});
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

/// The numbers of a template, which stand behind its parts.
std::vector<double> parameters_of(const BoundEntry& entry) {
    return entry.row.parts.size() > entry.parts.size() ? entry.row.parts.back().constants : std::vector<double>{};
}

struct BoundProgress {
    int iteration = 0, iterations = 0;
    double evaluations = 0, seconds = 0;
    std::vector<BoundEntry> front;
};

struct BoundLogEntry {
    std::optional<BoundExpression> expression;
    LogEntry record;
};

struct BoundResult {
    std::vector<BoundEntry> front;
    std::string reason;
    int iterations = 0;
    double evaluations = 0, seconds = 0, seed_work = 0;
    std::vector<BoundLogEntry> log;
};

/// A Python error is pending. Ctrl-C stops the search and keeps its front; any other error goes on to the caller of run.
bool stop_or_throw(py::error_already_set& error, bool& interrupted) {
    if (!error.matches(PyExc_KeyboardInterrupt)) throw error;
    interrupted = true;
    return false;
}

/// A number from a function in Python. The search calls it on its own threads, each of which takes the GIL.
class PythonFunction {
   public:
    /// `name` is that of the parameter, for error messages.
    PythonFunction(py::object function, std::string name) : function_(std::move(function)), name_(std::move(name)) {}

    /// The function's value for what `argument` makes. After an error it is infinite, and `on_error` has been called.
    template <class Argument>
    double operator()(const Argument& argument, const std::function<void()>& on_error) {
        const py::gil_scoped_acquire locked;
        if (error_) return std::numeric_limits<double>::infinity();
        try {
            return function_(argument()).template cast<double>();
        } catch (py::error_already_set& error) {
            error_.emplace(error);
        } catch (const py::cast_error&) {
            PyErr_SetString(PyExc_TypeError,
                            (name_ + " returned something that is not a number: return one number").c_str());
            error_.emplace();
        }
        on_error();
        return std::numeric_limits<double>::infinity();
    }

    /// Throws what the function threw, if it did. With the GIL.
    void rethrow() {
        if (!error_) return;
        const py::error_already_set error = *error_;
        error_.reset();
        throw error;
    }

   private:
    py::object function_;
    std::string name_;
    std::optional<py::error_already_set> error_;
};

/// A compiled loss of whole predictions. The search calls it on its own threads, without the GIL, several at once.
class CompiledLoss {
   public:
    /// Throws std::invalid_argument for another signature.
    explicit CompiledLoss(const py::capsule& capsule) : function_(capsule) {
        if (!function_.is_known || function_.result != "double" || function_.n_arrays != 3) {
            throw std::invalid_argument(
                "loss_function is compiled with the signature '" + function_.signature +
                "': write it as 'double (double *prediction, double *target, double *weights, size_t n)', with a last "
                "parameter 'void *' if it has user data");
        }
    }

    /// Weights are null where there are none.
    double operator()(std::span<const double> prediction, const double* target, const double* weights) const {
        return function_.call<double>(prediction.data(), target, weights, prediction.size());
    }

   private:
    LowLevelFunction function_;
};

std::unique_ptr<PythonFunction> function_or_null(const py::object& function, const char* name) {
    return function.is_none() ? nullptr : std::make_unique<PythonFunction>(function, name);
}

/// A search and the data it looks at.
class BoundSearch {
   public:
    BoundSearch(const Columns<double>& X, const Vector& y, const std::optional<Vector>& weights,
                const std::vector<std::string>& names, const Context& operators, const SearchOptions& options,
                const py::object& loss_function, const py::object& complexity_mapping)
        : words_(words_of(operators, names, options)),
          data_(matrix_view<double>(X), span_of(y), weights ? span_of(*weights) : std::span<const double>{},
                loss_function.is_none() ? RowOrder::ladder : RowOrder::as_given),
          loss_function_(loss_function),
          loss_(py::isinstance<py::capsule>(loss_function) ? nullptr
                                                           : function_or_null(loss_function, "loss_function")),
          mapping_(function_or_null(complexity_mapping, "complexity_mapping")),
          search_(make_search(options)) {
        rethrow();
    }

    BoundResult run(const py::object& progress) {
        bool interrupted = false;
        const auto poll = [&] {
            const py::gil_scoped_acquire locked;
            if (PyErr_CheckSignals() == 0) return true;
            py::error_already_set error;
            return stop_or_throw(error, interrupted);
        };
        const auto report = [&](const Progress& p) {
            const py::gil_scoped_acquire locked;
            try {
                const py::object go_on = progress(
                    BoundProgress{p.iteration, p.iterations, p.evaluations, p.seconds, bound_front(p.front, words_)});
                return go_on.is_none() || go_on.cast<bool>();
            } catch (py::error_already_set& error) {
                search_.interrupt();
                return stop_or_throw(error, interrupted);
            }
        };
        SearchResult result;
        try {
            const bool silent = progress.is_none();
            const py::gil_scoped_release unlocked;
            result = search_.run(silent ? std::function<bool(const Progress&)>{} : report, poll);
        } catch (...) {
            rethrow();  // what went wrong first
            throw;
        }
        rethrow();
        const StopReason reason = interrupted ? StopReason::interrupted : result.reason;
        BoundResult bound{bound_front(result.front, words_),
                          std::string(name(reason)),
                          result.iterations,
                          result.evaluations,
                          result.seconds,
                          result.seed_work,
                          {}};
        for (LogEntry& entry : result.log) {
            std::optional<BoundExpression> expression;
            if (!entry.expression.nodes.empty()) expression = BoundExpression{entry.expression, words_.formulas};
            bound.log.push_back({std::move(expression), std::move(entry)});
        }
        return bound;
    }

    void interrupt() noexcept { search_.interrupt(); }
    [[nodiscard]] py::bytes save() const { return py::bytes(search_.save()); }
    void load(const std::string& state) { search_.load(state); }

   private:
    /// What a function of the user threw, if one did.
    void rethrow() {
        if (loss_) loss_->rethrow();
        if (mapping_) mapping_->rethrow();
    }

    /// The options hold plain pointers, no Python object: they are copied and destroyed where the GIL is not held.
    Search make_search(SearchOptions options) {
        const auto stop = [this] {
            if (ready_) search_.interrupt();
        };
        if (loss_) {
            options.evolution.whole_loss = [this, stop](std::span<const double> prediction) {
                const auto argument = [&] {
                    py::array_t<double> values(static_cast<py::ssize_t>(prediction.size()));
                    std::ranges::copy(prediction, values.mutable_data());
                    return values;
                };
                return (*loss_)(argument, stop);
            };
        }
        if (py::isinstance<py::capsule>(loss_function_)) {
            const CompiledLoss compiled{py::reinterpret_borrow<py::capsule>(loss_function_)};
            options.evolution.whole_loss = [this, compiled](std::span<const double> prediction) {
                return compiled(prediction, data_.target(), data_.weights());
            };
        }
        if (mapping_) {
            options.complexity.mapping = [this, stop](const Expression& expression) {
                return (*mapping_)([&] { return BoundExpression{expression, words_.formulas}; }, stop);
            };
        }
        Search search(data_, words_.formulas->operators, std::move(options));
        ready_ = true;
        return search;
    }

    Words words_;
    Dataset<double> data_;  // before search_, which refers to it
    py::object loss_function_;
    std::unique_ptr<PythonFunction> loss_, mapping_;  // and to these
    bool ready_ = false;                              // search_ is made
    Search search_;
};

/// A property for each named option: those of groups are flat in Python, too.
void bind_named_options(py::class_<SearchOptions>& cls) {
    using Kind = NamedOption::Kind;
    const auto bind = [&cls](const NamedOption& option, auto get, auto set) {
        using T = decltype(get(std::declval<const SearchOptions&>()));
        cls.def_property(std::string(option.name).c_str(), get,
                         [set, name = std::string(option.name)](SearchOptions& o, T value) { set(o, name, value); });
    };
    for (const NamedOption& option : named_options()) {
        switch (option.kind) {
            case Kind::boolean:
                bind(option, [get = option.get](const SearchOptions& o) { return get(o) != 0; }, set_option);
                break;
            case Kind::whole:
                bind(option, option.get_whole, set_whole_option);
                break;
            case Kind::real:
                bind(option, option.get, set_option);
        }
    }
}

void bind_options(py::module_& m) {
    py::enum_<Batching>(m, "Batching")
        .value("automatic", Batching::automatic)
        .value("on", Batching::on)
        .value("off", Batching::off);
    py::enum_<Finish>(m, "Finish")
        .value("none", Finish::none)
        .value("fit", Finish::fit)
        .value("simplify", Finish::simplify);

    py::class_<SearchOptions> cls(m, "SearchOptions");
    cls.def(py::init<>());
    bind_named_options(cls);
    m.def("named_options", [] {
        std::vector<std::string> names;
        for (const NamedOption& option : named_options()) names.emplace_back(option.name);
        return names;
    });
    const auto complexity = [&cls](const char* name, std::vector<double> ComplexityOptions::* member) {
        cls.def_property(
            name, [=](const SearchOptions& o) { return o.complexity.*member; },
            [=](SearchOptions& o, const std::vector<double>& values) { o.complexity.*member = values; });
    };
    complexity("complexity_of_variables", &ComplexityOptions::of_variables);
    complexity("complexity_of_operators", &ComplexityOptions::of_operators);
    cls.def_property(
           "operators",
           [](const SearchOptions& o) {
               std::vector<int> codes;
               for (const Op op : o.operators) codes.push_back(static_cast<int>(op));
               return codes;
           },
           [](SearchOptions& o, const std::vector<int>& codes) {
               o.operators.clear();
               for (const int code : codes) o.operators.push_back(static_cast<Op>(code));
           })
        .def(
            "add_constraint",
            [](SearchOptions& o, int op, const std::vector<int>& max_complexity) {
                ArgumentConstraint constraint{static_cast<Op>(op)};
                std::copy_n(max_complexity.begin(), std::min(max_complexity.size(), kMaxArity),
                            constraint.max_complexity.begin());
                o.constraints.push_back(constraint);
            },
            py::arg("op"), py::arg("max_complexity"))
        .def(
            "add_nested_constraint",
            [](SearchOptions& o, int outer, int inner, int max_depth) {
                o.nested_constraints.push_back({static_cast<Op>(outer), static_cast<Op>(inner), max_depth});
            },
            py::arg("outer"), py::arg("inner"), py::arg("max_depth"))
        .def(
            "add_variable_constraint",
            [](SearchOptions& o, int op, const std::vector<bool>& allowed) {
                o.variable_constraints.push_back({static_cast<Op>(op), allowed});
            },
            py::arg("op"), py::arg("allowed"))
        .def(
            "add_guess", [](SearchOptions& o, const BoundExpression& e) { o.guesses.push_back(e.expression); },
            py::arg("expression"))
        .def(
            "set_structure", [](SearchOptions& o, const Template& structure) { o.structure = structure; },
            py::arg("structure"))
        .def(
            "add_guess_of_parts",
            [](SearchOptions& o, const std::vector<BoundExpression>& parts, const std::vector<double>& parameters) {
                std::vector<Expression>& roles = o.guesses_of_parts.emplace_back();
                for (const BoundExpression& part : parts) roles.push_back(part.expression);
                if (!parameters.empty()) roles.push_back(Template::parameters_role(parameters));
            },
            py::arg("parts"), py::arg("parameters"))
        .def(
            "set_loss", [](SearchOptions& o, const Loss& loss) { o.evolution.loss = loss; }, py::arg("loss"))
        .def(
            "set_early_stop",
            [](SearchOptions& o, const std::string& text, const Context& context) {
                const Definition definition = parse_definition(text, context.operators);
                if (definition.parameters.size() != 2) {
                    throw std::invalid_argument("early_stop_condition takes (loss, complexity), not " +
                                                std::to_string(definition.parameters.size()) + " parameters: " + text);
                }
                o.early_stop = definition.body;
            },
            py::arg("text"), py::arg("operators"))
        .def_readwrite("dimensions", &SearchOptions::dimensions)
        .def_readwrite("batching", &SearchOptions::batching)
        .def_readwrite("finish", &SearchOptions::finish);
}

}  // namespace

void bind_search(py::module_& m) {
    bind_options(m);

    py::class_<BoundEntry> front_entry(m, "FrontEntry");
    front_entry.def_readonly("expression", &BoundEntry::expression);
    const auto number = [&front_entry](const char* name, auto FrontEntry::* member) {
        front_entry.def_property_readonly(name, [=](const BoundEntry& entry) { return entry.row.*member; });
    };
    number("complexity", &FrontEntry::complexity);
    number("loss", &FrontEntry::loss);
    number("description_length", &FrontEntry::description_length);
    number("bic", &FrontEntry::bic);
    number("r2", &FrontEntry::r2);
    number("cv_loss", &FrontEntry::cv_loss);
    number("cv_error", &FrontEntry::cv_error);
    number("standard_errors", &FrontEntry::standard_errors);
    number("unknowns", &FrontEntry::unknowns);
    front_entry.def_readonly("parts", &BoundEntry::parts).def_property_readonly("parameters", &parameters_of);
    py::class_<BoundLogEntry> log_entry(m, "LogEntry");
    log_entry.def_readonly("expression", &BoundLogEntry::expression);
    const auto record = [&log_entry](const char* name, auto LogEntry::* member) {
        log_entry.def_property_readonly(name, [=](const BoundLogEntry& entry) { return entry.record.*member; });
    };
    record("stage", &LogEntry::stage);
    record("work", &LogEntry::work);
    record("evaluations", &LogEntry::evaluations);
    record("cpu_seconds", &LogEntry::cpu_seconds);
    record("complexity", &LogEntry::complexity);
    record("loss", &LogEntry::loss);
    py::class_<BoundProgress>(m, "Progress")
        .def_readonly("iteration", &BoundProgress::iteration)
        .def_readonly("iterations", &BoundProgress::iterations)
        .def_readonly("evaluations", &BoundProgress::evaluations)
        .def_readonly("seconds", &BoundProgress::seconds)
        .def_readonly("front", &BoundProgress::front);
    py::class_<BoundResult>(m, "SearchResult")
        .def_readonly("front", &BoundResult::front)
        .def_readonly("reason", &BoundResult::reason)
        .def_readonly("iterations", &BoundResult::iterations)
        .def_readonly("evaluations", &BoundResult::evaluations)
        .def_readonly("seconds", &BoundResult::seconds)
        .def_readonly("seed_work", &BoundResult::seed_work)
        .def_readonly("log", &BoundResult::log);
    m.def(
        "call_compiled_loss",
        [](const py::capsule& function, const Vector& prediction, const Vector& target,
           const std::optional<Vector>& weights) {
            return CompiledLoss(function)(span_of(prediction), span_of(target).data(),
                                          weights ? span_of(*weights).data() : nullptr);
        },
        py::arg("function"), py::arg("prediction"), py::arg("target"), py::arg("weights"));
    py::class_<BoundSearch>(m, "Search")
        .def(py::init<const Columns<double>&, const Vector&, const std::optional<Vector>&,
                      const std::vector<std::string>&, const Context&, const SearchOptions&, const py::object&,
                      const py::object&>(),
             py::arg("X").noconvert(), py::arg("y").noconvert(), py::arg("weights").noconvert(), py::arg("names"),
             py::arg("operators"), py::arg("options"), py::arg("loss_function") = py::none(),
             py::arg("complexity_mapping") = py::none())
        .def("run", &BoundSearch::run, py::arg("progress") = py::none())
        .def("interrupt", &BoundSearch::interrupt)
        .def("save", &BoundSearch::save)
        .def("load", &BoundSearch::load, py::arg("state"));
}

}  // namespace balmer::python
