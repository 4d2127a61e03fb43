// The search: options in, progress out, Ctrl-C on the way.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "balmer/expr/parse.hpp"
#include "balmer/search/search.hpp"
#include "bound.hpp"

namespace balmer::python {
namespace {

struct BoundEntry {
    BoundExpression expression;
    FrontEntry row;  // its expression is the one above
};

std::vector<BoundEntry> bound_front(std::span<const FrontEntry> front, const std::shared_ptr<const Context>& context) {
    std::vector<BoundEntry> entries;
    entries.reserve(front.size());
    for (const FrontEntry& e : front) {
        entries.push_back({{e.expression, context}, e});
    }
    return entries;
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

/// A loss in Python: a function of the predictions. The search calls it on its own threads, each of which takes the GIL.
class PythonLoss {
   public:
    explicit PythonLoss(py::object function) : function_(std::move(function)) {}

    /// After an error every loss is infinite, and `on_error` has been called.
    double operator()(std::span<const double> prediction, const std::function<void()>& on_error) {
        const py::gil_scoped_acquire locked;
        if (error_) return std::numeric_limits<double>::infinity();
        try {
            py::array_t<double> values(static_cast<py::ssize_t>(prediction.size()));
            std::ranges::copy(prediction, values.mutable_data());
            return function_(std::move(values)).cast<double>();
        } catch (py::error_already_set& error) {
            error_.emplace(error);
        } catch (const py::cast_error&) {
            error_.emplace(error("loss_function returned something that is not a number: return one number"));
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
    static py::error_already_set error(const char* message) {
        PyErr_SetString(PyExc_TypeError, message);
        return {};
    }

    py::object function_;
    std::optional<py::error_already_set> error_;
};

/// A search and the data it looks at.
class BoundSearch {
   public:
    BoundSearch(const Columns<double>& X, const Vector& y, const std::optional<Vector>& weights,
                const std::vector<std::string>& names, const Context& operators, const SearchOptions& options,
                const py::object& loss_function)
        : context_(std::make_shared<const Context>(Context{operators.operators, names})),
          data_(matrix_view<double>(X), span_of(y), weights ? span_of(*weights) : std::span<const double>{},
                loss_function.is_none() ? RowOrder::ladder : RowOrder::as_given),
          loss_(loss_function.is_none() ? nullptr : std::make_unique<PythonLoss>(loss_function)),
          search_(make_search(options)) {
        if (loss_) loss_->rethrow();
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
                    BoundProgress{p.iteration, p.iterations, p.evaluations, p.seconds, bound_front(p.front, context_)});
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
            if (loss_) loss_->rethrow();  // what went wrong first
            throw;
        }
        if (loss_) loss_->rethrow();
        const StopReason reason = interrupted ? StopReason::interrupted : result.reason;
        BoundResult bound{bound_front(result.front, context_),
                          std::string(name(reason)),
                          result.iterations,
                          result.evaluations,
                          result.seconds,
                          result.seed_work,
                          {}};
        for (LogEntry& entry : result.log) {
            std::optional<BoundExpression> expression;
            if (!entry.expression.nodes.empty()) expression = BoundExpression{entry.expression, context_};
            bound.log.push_back({std::move(expression), std::move(entry)});
        }
        return bound;
    }

    void interrupt() noexcept { search_.interrupt(); }
    [[nodiscard]] py::bytes save() const { return py::bytes(search_.save()); }
    void load(const std::string& state) { search_.load(state); }

   private:
    /// The options hold a plain pointer, no Python object: they are copied and destroyed where the GIL is not held.
    Search make_search(SearchOptions options) {
        if (loss_) {
            options.evolution.whole_loss = [this](std::span<const double> prediction) {
                return (*loss_)(prediction, [this] {
                    if (ready_) search_.interrupt();
                });
            };
        }
        Search search(data_, context_->operators, std::move(options));
        ready_ = true;
        return search;
    }

    std::shared_ptr<const Context> context_;
    Dataset<double> data_;              // before search_, which refers to it
    std::unique_ptr<PythonLoss> loss_;  // and to this
    bool ready_ = false;                // search_ is made
    Search search_;
};

/// Options of a group are flat in Python: the names do not repeat.
template <class Group, class T>
void bind_option(py::class_<SearchOptions>& cls, const char* name, Group SearchOptions::* group, T Group::* member) {
    cls.def_property(
        name, [=](const SearchOptions& o) { return o.*group.*member; },
        [=](SearchOptions& o, const T& value) { o.*group.*member = value; });
}

void bind_evolution(py::class_<SearchOptions>& cls) {
    const auto evolution = [&cls](const char* name, auto EvolutionOptions::* member) {
        bind_option(cls, name, &SearchOptions::evolution, member);
    };
    using E = EvolutionOptions;
    evolution("populations", &E::populations);
    evolution("population_size", &E::population_size);
    evolution("ncycles_per_iteration", &E::ncycles_per_iteration);
    evolution("niterations", &E::niterations);
    evolution("maxsize", &E::maxsize);
    evolution("maxdepth", &E::maxdepth);
    evolution("warmup_maxsize_by", &E::warmup_maxsize_by);
    evolution("parsimony", &E::parsimony);
    evolution("use_frequency", &E::use_frequency);
    evolution("use_frequency_in_tournament", &E::use_frequency_in_tournament);
    evolution("adaptive_parsimony_scaling", &E::adaptive_parsimony_scaling);
    evolution("should_simplify", &E::should_simplify);
    evolution("adaptive_mutation_weights", &E::adaptive_mutation_weights);
    evolution("crossover_probability", &E::crossover_probability);
    evolution("annealing", &E::annealing);
    evolution("alpha", &E::alpha);
    evolution("perturbation_factor", &E::perturbation_factor);
    evolution("probability_negate_constant", &E::probability_negate_constant);
    evolution("scaled_constants", &E::scaled_constants);
    evolution("skip_mutation_failures", &E::skip_mutation_failures);
    evolution("tournament_selection_n", &E::tournament_selection_n);
    evolution("tournament_selection_p", &E::tournament_selection_p);
    evolution("should_optimize_constants", &E::should_optimize_constants);
    evolution("optimize_probability", &E::optimize_probability);
    evolution("optimizer_iterations", &E::optimizer_iterations);
    evolution("optimizer_nrestarts", &E::optimizer_nrestarts);
    evolution("migration", &E::migration);
    evolution("hof_migration", &E::hof_migration);
    evolution("fraction_replaced", &E::fraction_replaced);
    evolution("fraction_replaced_hof", &E::fraction_replaced_hof);
    evolution("fraction_replaced_guesses", &E::fraction_replaced_guesses);
    evolution("topn", &E::topn);

    const auto weight = [&cls](const char* name, double MutationWeights::* member) {
        cls.def_property(
            name, [=](const SearchOptions& o) { return o.evolution.weights.*member; },
            [=](SearchOptions& o, double value) { o.evolution.weights.*member = value; });
    };
    using W = MutationWeights;
    weight("weight_mutate_constant", &W::mutate_constant);
    weight("weight_mutate_operator", &W::mutate_operator);
    weight("weight_mutate_feature", &W::mutate_feature);
    weight("weight_swap_operands", &W::swap_operands);
    weight("weight_rotate_tree", &W::rotate_tree);
    weight("weight_add_node", &W::add_node);
    weight("weight_insert_node", &W::insert_node);
    weight("weight_delete_node", &W::delete_node);
    weight("weight_simplify", &W::simplify);
    weight("weight_randomize", &W::randomize);
    weight("weight_do_nothing", &W::do_nothing);
    weight("weight_optimize", &W::optimize);
}

void bind_stages(py::class_<SearchOptions>& cls) {
    const auto stage = [&cls](const char* name, bool StageSwitches::* member) {
        bind_option(cls, name, &SearchOptions::stages, member);
    };
    using S = StageSwitches;
    stage("with_views", &S::views);
    stage("with_dictionary", &S::dictionary);
    stage("with_families", &S::families);
    stage("with_weighted_families", &S::weighted_families);
    stage("with_factors", &S::factors);
    stage("with_deep", &S::deep);
    stage("with_inner_constants", &S::inner_constants);
    stage("with_large_libraries", &S::large_libraries);
    stage("with_seed_finish", &S::seed_finish);
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
    bind_evolution(cls);
    bind_stages(cls);
    bind_option(cls, "complexity_of_constants", &SearchOptions::complexity, &ComplexityOptions::of_constants);
    bind_option(cls, "complexity_of_variables", &SearchOptions::complexity, &ComplexityOptions::of_variables);
    bind_option(cls, "complexity_of_operators", &SearchOptions::complexity, &ComplexityOptions::of_operators);
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
        .def_readwrite("batching", &SearchOptions::batching)
        .def_readwrite("batch_size", &SearchOptions::batch_size)
        .def_readwrite("seeding", &SearchOptions::seeding)
        .def_readwrite("seed_work", &SearchOptions::seed_work)
        .def_readwrite("finish", &SearchOptions::finish)
        .def_readwrite("cv_folds", &SearchOptions::cv_folds)
        .def_readwrite("timeout_in_seconds", &SearchOptions::timeout_in_seconds)
        .def_readwrite("max_evals", &SearchOptions::max_evals)
        .def_readwrite("memory_limit_in_bytes", &SearchOptions::memory_limit_in_bytes)
        .def_readwrite("early_stop_loss", &SearchOptions::early_stop_loss)
        .def_readwrite("seed", &SearchOptions::seed)
        .def_readwrite("n_threads", &SearchOptions::n_threads);
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
    py::class_<BoundSearch>(m, "Search")
        .def(py::init<const Columns<double>&, const Vector&, const std::optional<Vector>&,
                      const std::vector<std::string>&, const Context&, const SearchOptions&, const py::object&>(),
             py::arg("X").noconvert(), py::arg("y").noconvert(), py::arg("weights").noconvert(), py::arg("names"),
             py::arg("operators"), py::arg("options"), py::arg("loss_function") = py::none())
        .def("run", &BoundSearch::run, py::arg("progress") = py::none())
        .def("interrupt", &BoundSearch::interrupt)
        .def("save", &BoundSearch::save)
        .def("load", &BoundSearch::load, py::arg("state"));
}

}  // namespace balmer::python
