"""The C interface of balmer for Cython: ``from balmer.c_api cimport balmer_import, balmer_parse, ...``.

Call ``balmer_import()`` once in the module, before anything else. What each function does stands in
``include/balmer/c_api.h``; tests/embedding in the sources has a module that uses it.
"""

cdef extern from "balmer/python_api.h":
    int balmer_import() except -1

cdef extern from "balmer/python_api.h" nogil:
    ctypedef enum balmer_status:
        BALMER_OK
        BALMER_INVALID_ARGUMENT
        BALMER_PARSE_ERROR
        BALMER_OUT_OF_MEMORY
        BALMER_FAILED
    ctypedef enum balmer_format:
        BALMER_TEXT
        BALMER_LATEX
        BALMER_SYMPY
    ctypedef enum balmer_stop:
        BALMER_STOP_ITERATIONS
        BALMER_STOP_EARLY_STOP
        BALMER_STOP_EXACT
        BALMER_STOP_TIMEOUT
        BALMER_STOP_MAX_EVALS
        BALMER_STOP_INTERRUPTED
        BALMER_STOP_SETTLED
    ctypedef struct balmer_error:
        balmer_status status
        int position
        char message[1016]
    ctypedef struct balmer_operators:
        pass
    ctypedef struct balmer_dataset:
        pass
    ctypedef struct balmer_expression:
        pass
    ctypedef struct balmer_options:
        pass
    ctypedef struct balmer_search:
        pass
    ctypedef struct balmer_table:
        const double* X
        size_t n_rows, n_features
        size_t row_stride, column_stride
        const double* target
        const double* weights
        const char* const* names
    ctypedef struct balmer_fit:
        double loss
        int iterations
        int converged
    ctypedef struct balmer_progress:
        int iteration, iterations
        double evaluations, seconds
        const balmer_search* search
    ctypedef struct balmer_entry:
        int complexity
        double loss
        double description_length
    ctypedef void (*balmer_block_function)(
        double* out, const double* a, const double* b, size_t n, void* user) noexcept nogil
    ctypedef int (*balmer_progress_function)(const balmer_progress* progress, void* user) noexcept nogil

    int balmer_c_api_version "balmer_functions_->balmer_c_api_version"()
    const char* balmer_version "balmer_functions_->balmer_version"()
    const char* balmer_isa "balmer_functions_->balmer_isa"(balmer_error* error)
    balmer_operators* balmer_operators_create "balmer_functions_->balmer_operators_create"(
        balmer_error* error)
    balmer_status balmer_operators_define "balmer_functions_->balmer_operators_define"(
        balmer_operators* operators, const char* definition, int complexity, balmer_error* error)
    void balmer_operators_free "balmer_functions_->balmer_operators_free"(balmer_operators* operators)
    balmer_dataset* balmer_dataset_create "balmer_functions_->balmer_dataset_create"(
        const balmer_table* table, balmer_error* error)
    balmer_dataset* balmer_dataset_view "balmer_functions_->balmer_dataset_view"(
        const balmer_table* table, balmer_error* error)
    size_t balmer_dataset_n_rows "balmer_functions_->balmer_dataset_n_rows"(const balmer_dataset* dataset)
    size_t balmer_dataset_n_features "balmer_functions_->balmer_dataset_n_features"(
        const balmer_dataset* dataset)
    void balmer_dataset_free "balmer_functions_->balmer_dataset_free"(balmer_dataset* dataset)
    balmer_expression* balmer_parse "balmer_functions_->balmer_parse"(
        const char* text, const char* const* names, size_t n_names, const balmer_operators* operators,
        balmer_error* error)
    balmer_expression* balmer_expression_copy "balmer_functions_->balmer_expression_copy"(
        const balmer_expression* expression, balmer_error* error)
    void balmer_expression_free "balmer_functions_->balmer_expression_free"(balmer_expression* expression)
    ptrdiff_t balmer_expression_text "balmer_functions_->balmer_expression_text"(
        const balmer_expression* expression, balmer_format format, int precision, char* buffer,
        size_t capacity, balmer_error* error)
    int balmer_expression_complexity "balmer_functions_->balmer_expression_complexity"(
        const balmer_expression* expression)
    size_t balmer_expression_n_constants "balmer_functions_->balmer_expression_n_constants"(
        const balmer_expression* expression)
    void balmer_expression_get_constants "balmer_functions_->balmer_expression_get_constants"(
        const balmer_expression* expression, double* constants)
    void balmer_expression_set_constants "balmer_functions_->balmer_expression_set_constants"(
        balmer_expression* expression, const double* constants)
    balmer_status balmer_evaluate "balmer_functions_->balmer_evaluate"(
        const balmer_expression* const* expressions, size_t n, const balmer_dataset* dataset, double* values,
        int n_threads, balmer_error* error)
    balmer_status balmer_evaluate_gradient "balmer_functions_->balmer_evaluate_gradient"(
        const balmer_expression* expression, const balmer_dataset* dataset, double* values, double* gradient,
        balmer_error* error)
    balmer_status balmer_fit_constants "balmer_functions_->balmer_fit_constants"(
        balmer_expression* expression, const balmer_dataset* dataset, const char* loss, int max_iterations,
        balmer_fit* result, double* standard_errors, balmer_error* error)
    balmer_options* balmer_options_create "balmer_functions_->balmer_options_create"(balmer_error* error)
    void balmer_options_free "balmer_functions_->balmer_options_free"(balmer_options* options)
    balmer_status balmer_options_set "balmer_functions_->balmer_options_set"(
        balmer_options* options, const char* name, double value, balmer_error* error)
    balmer_status balmer_options_set_operators "balmer_functions_->balmer_options_set_operators"(
        balmer_options* options, const char* names, balmer_error* error)
    balmer_status balmer_options_set_loss "balmer_functions_->balmer_options_set_loss"(
        balmer_options* options, const char* loss, balmer_error* error)
    balmer_search* balmer_search_create "balmer_functions_->balmer_search_create"(
        const balmer_dataset* dataset, const balmer_operators* operators, const balmer_options* options,
        balmer_error* error)
    void balmer_search_free "balmer_functions_->balmer_search_free"(balmer_search* search)
    balmer_status balmer_search_run "balmer_functions_->balmer_search_run"(
        balmer_search* search, balmer_progress_function progress, void* user, balmer_stop* reason,
        balmer_error* error)
    void balmer_search_interrupt "balmer_functions_->balmer_search_interrupt"(balmer_search* search)
    size_t balmer_search_front_size "balmer_functions_->balmer_search_front_size"(const balmer_search* search)
    balmer_status balmer_search_front_entry "balmer_functions_->balmer_search_front_entry"(
        const balmer_search* search, size_t index, balmer_entry* entry, balmer_error* error)
    balmer_expression* balmer_search_front_expression "balmer_functions_->balmer_search_front_expression"(
        const balmer_search* search, size_t index, balmer_error* error)
    ptrdiff_t balmer_search_best "balmer_functions_->balmer_search_best"(const balmer_search* search)
    ptrdiff_t balmer_search_save "balmer_functions_->balmer_search_save"(
        const balmer_search* search, void* buffer, size_t capacity, balmer_error* error)
    balmer_status balmer_search_load "balmer_functions_->balmer_search_load"(
        balmer_search* search, const void* state, size_t size, balmer_error* error)
    balmer_status balmer_operators_define_compiled "balmer_functions_->balmer_operators_define_compiled"(
        balmer_operators* operators, const char* name, int arity, balmer_block_function value,
        const balmer_block_function* derivatives, void* user, int complexity, balmer_error* error)
