"""PySR's parameters (2.7) beside ours: what users coming from there look for.

Read by the docs and, when somebody gives one of them that is no parameter here, by the error message.
"""

from __future__ import annotations

__all__ = ["DIFFERENT", "GROUPS", "OF_FIT", "RENAMED", "SAME"]

# By the groups of PySR's documentation.
GROUPS = {
    "Search space": "binary_operators unary_operators operators expression_spec type_spec maxsize maxdepth",
    "Search size": "niterations populations population_size ncycles_per_iteration",
    "Objective": (
        "elementwise_loss loss_function loss_function_expression loss_scale model_selection "
        "dimensional_constraint_penalty dimensionless_constants_only"
    ),
    "Complexities": (
        "parsimony constraints nested_constraints complexity_of_operators complexity_of_constants "
        "complexity_of_variables complexity_mapping warmup_maxsize_by use_frequency "
        "use_frequency_in_tournament "
        "adaptive_parsimony_scaling should_simplify"
    ),
    "Mutations": (
        "default_mutations mutations default_plugins plugins weight_add_node weight_insert_node "
        "weight_delete_node weight_do_nothing weight_mutate_constant weight_mutate_operator "
        "weight_mutate_feature weight_swap_operands weight_rotate_tree weight_randomize weight_simplify "
        "weight_optimize weight_backsolve crossover_probability annealing alpha perturbation_factor "
        "probability_negate_constant skip_mutation_failures"
    ),
    "Tournament": "tournament_selection_n tournament_selection_p",
    "Constants": (
        "optimizer_algorithm optimizer_nrestarts optimizer_f_calls_limit optimize_probability "
        "optimizer_iterations should_optimize_constants"
    ),
    "Migration": (
        "fraction_replaced fraction_replaced_hof fraction_replaced_guesses migration hof_migration topn"
    ),
    "Preprocessing": "denoise select_k_features",
    "Stopping": "max_evals timeout_in_seconds early_stop_condition",
    "Performance": (
        "parallelism procs cluster_manager heap_size_hint_in_bytes worker_timeout worker_imports batching "
        "batch_size precision fast_cycle turbo bumper autodiff_backend"
    ),
    "Determinism and warm start": "random_state deterministic warm_start guesses",
    "Monitoring": (
        "verbosity update_verbosity print_precision progress logger_spec input_stream use_tracing "
        "tracing_file"
    ),
    "Files": "temp_equation_file tempdir delete_tempfiles update output_directory run_id",
    "Export": (
        "output_jax_format output_torch_format extra_sympy_mappings extra_torch_mappings extra_jax_mappings"
    ),
}

# Those that are not parameters here: "better" (what takes their place), "not needed" (why), or "missing".
DIFFERENT = {
    "type_spec": (
        "not needed",
        "values are real numbers, which losses, comparisons and domains need; a complex column goes in as "
        "its real and its imaginary part",
    ),
    "loss_function_expression": (
        "better",
        "loss_function takes a Python function of the predictions; no tree is to be evaluated by hand",
    ),
    "default_mutations": ("better", "weight_add_node and its sisters: one parameter for each mutation"),
    "mutations": ("better", "weight_add_node and its sisters: one parameter for each mutation"),
    "default_plugins": ("better", "annealing, use_frequency, adaptive_mutation_weights: one parameter each"),
    "plugins": ("better", "annealing, use_frequency, adaptive_mutation_weights: one parameter each"),
    "optimizer_algorithm": (
        "better",
        "variable projection and Levenberg-Marquardt with exact derivatives; a simplex where there are none",
    ),
    "optimizer_f_calls_limit": ("not needed", "optimizer_iterations bounds the passes over the rows"),
    "parallelism": ("better", "n_jobs, as in all of scikit-learn; the result does not depend on it"),
    "procs": ("not needed", "threads share the data; n_jobs says how many"),
    "cluster_manager": ("not needed", "one process searches on all processors of its machine"),
    "heap_size_hint_in_bytes": ("not needed", "there is no garbage collector"),
    "worker_timeout": ("not needed", "there are no worker processes"),
    "worker_imports": ("not needed", "there are no worker processes"),
    "fast_cycle": ("not needed", "it does nothing in PySR either"),
    "turbo": ("not needed", "the kernels always use the widest vectors of the machine; see balmer.isa()"),
    "bumper": ("not needed", "evaluation allocates nothing"),
    "autodiff_backend": ("not needed", "derivatives are exact, by a reverse sweep"),
    "deterministic": ("better", "random_state is enough, with any number of threads"),
    "update_verbosity": ("not needed", "nothing is installed at run time"),
    "logger_spec": ("better", "callbacks: any number, such as CSVLogger and TensorBoardLogger, or your own"),
    "input_stream": ("better", "Ctrl-C stops a search at once and keeps its front, in notebooks too"),
    "use_tracing": ("better", "search_log_ tells which stage found what after how much work"),
    "tracing_file": ("better", "search_log_ tells which stage found what after how much work"),
    "temp_equation_file": ("not needed", "without output_directory nothing is written"),
    "tempdir": ("not needed", "without output_directory nothing is written"),
    "delete_tempfiles": ("not needed", "without output_directory nothing is written"),
    "update": ("not needed", "nothing is installed at run time"),
    "output_jax_format": ("not needed", "call model.jax() when you want it"),
    "output_torch_format": ("not needed", "call model.pytorch() when you want it"),
    "extra_sympy_mappings": ("not needed", "operators of your own are exported to sympy as they are"),
    "extra_torch_mappings": ("not needed", "operators of your own are exported to torch as they are"),
    "extra_jax_mappings": ("not needed", "operators of your own are exported to jax as they are"),
}

# Parameters here with the same name and meaning, where there is something to say about them.
SAME = {
    "niterations": "None, the default, ends when iterations lead to nothing better",
    "operators": "up to three operands for built-in ones, twelve for your own",
    "expression_spec": (
        "`TemplateExpressionSpec`; sympy, LaTeX, export and standard errors of the whole formula, too"
    ),
    "elementwise_loss": "names and formulas; Julia's syntax for losses is understood",
    "loss_scale": "a linear scale still has a column for the score; negative losses are no error",
    "loss_function": "a Python function of arrays, `(y_pred, y, weights)`",
    "dimensional_constraint_penalty": "None forbids what violates the units; 1000 is PySR's",
    "model_selection": 'also `"dl"`, the default, `"bic"` and `"cv"`',
    "complexity_of_variables": "a number, or one for each column; not an argument of `fit`",
    "complexity_mapping": "a Python function of an `Expression`",
    "batch_size": "the same automatic sizes",
    "precision": "64 is the default; constants are always fitted in double precision",
    "early_stop_condition": "a number, a formula of (loss, complexity), or a Python function",
    "warm_start": "other data or options begin from the front instead of raising",
    "guesses": "formulas, or dicts of the parts of a template; fitted and offered to every island",
    "random_state": "the same front on any number of threads and any machine",
    "progress": "the whole front, live",
    "output_directory": "None, the default, writes nothing",
    "denoise": "features are scaled first, each has a length of its own",
    "optimizer_iterations": "steps of Levenberg-Marquardt",
    "max_evals": "a formula on a part of the rows counts as that part",
}

# Arguments of PySR's `fit` that ours does not take.
OF_FIT = {
    "weights": "give sample_weight, as everywhere in scikit-learn",
    "complexity_of_variables": "give it to the estimator",
    "category": "make it a column of X, by which an expression_spec looks up parameters: p[class]",
}

# Old names of parameters that PySR still understands.
RENAMED = {
    "npop": "population_size",
    "loss": "elementwise_loss",
    "full_objective": "loss_function",
    "ncyclesperiteration": "ncycles_per_iteration",
    "fractionReplaced": "fraction_replaced",
    "fractionReplacedHof": "fraction_replaced_hof",
    "hofMigration": "hof_migration",
    "shouldOptimizeConstants": "should_optimize_constants",
    "weightAddNode": "weight_add_node",
    "weightInsertNode": "weight_insert_node",
    "weightDeleteNode": "weight_delete_node",
    "weightDoNothing": "weight_do_nothing",
    "weightMutateConstant": "weight_mutate_constant",
    "weightMutateOperator": "weight_mutate_operator",
    "weightSwapOperands": "weight_swap_operands",
    "weightRandomize": "weight_randomize",
    "weightSimplify": "weight_simplify",
    "crossoverProbability": "crossover_probability",
    "perturbationFactor": "perturbation_factor",
    "batchSize": "batch_size",
    "warmupMaxsizeBy": "warmup_maxsize_by",
    "useFrequency": "use_frequency",
    "useFrequencyInTournament": "use_frequency_in_tournament",
    "multithreading": "n_jobs",
}
