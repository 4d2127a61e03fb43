/* balmer for C, and for every language that can call C.
 *
 * Handles are opaque: made by a function that ends in _create, _parse, _copy or _expression, given back to the _free of
 * their kind (which takes NULL). Arrays belong to the caller and are copied where they must be kept. Numbers are doubles.
 *
 * A function that can fail takes a balmer_error* as its last argument (NULL: the message is not wanted) and returns a
 * status, or NULL or -1 in the place of what it was to return. No C++ exception leaves this library.
 *
 * A handle may be read from several threads at once and written from one. balmer_search_interrupt may be called from any.
 */
#ifndef BALMER_C_API_H
#define BALMER_C_API_H

#include <stddef.h>
#include <stdint.h>

/* Rises when a program that was compiled against an older header would break. */
#define BALMER_C_API_VERSION 1

#if defined(_WIN32) && defined(BALMER_SHARED)
#define BALMER_C_API __declspec(dllimport)
#elif defined(__GNUC__)
#define BALMER_C_API __attribute__((visibility("default")))
#else
#define BALMER_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum balmer_status {
    BALMER_OK = 0,
    BALMER_INVALID_ARGUMENT = 1, /* the message names the value and the remedy */
    BALMER_PARSE_ERROR = 2,      /* a text that is not a formula: `position` says where */
    BALMER_OUT_OF_MEMORY = 3,
    BALMER_FAILED = 4
} balmer_status;

typedef struct balmer_error {
    balmer_status status;
    int32_t position;   /* of the mistake in the text, in bytes; -1 where there is no text */
    char message[1016]; /* ends in a zero; a longer one is cut */
} balmer_error;

typedef struct balmer_operators balmer_operators;   /* the built-in operators and the user's */
typedef struct balmer_dataset balmer_dataset;       /* features, perhaps a target and weights */
typedef struct balmer_expression balmer_expression; /* a formula with its constants */
typedef struct balmer_options balmer_options;       /* what steers a search */
typedef struct balmer_search balmer_search;         /* a search and its front */

/* ---- the library ------------------------------------------------------------------------------------------------- */

/* BALMER_C_API_VERSION of the library that runs. */
BALMER_C_API int balmer_c_api_version(void);
/* "0.1.0" */
BALMER_C_API const char* balmer_version(void);
/* The instruction set in use: "baseline", "x86-64-v3", "x86-64-v4" or "neon"; NULL if BALMER_FORCE_ISA cannot be obeyed. */
BALMER_C_API const char* balmer_isa(balmer_error* error);

/* ---- operators --------------------------------------------------------------------------------------------------- */

/* The built-in operators. */
BALMER_C_API balmer_operators* balmer_operators_create(balmer_error* error);
/* Adds an operator: "inv(x) = 1/x". `complexity` is what it counts for in a formula. */
BALMER_C_API balmer_status balmer_operators_define(balmer_operators* operators, const char* definition, int complexity,
                                                   balmer_error* error);
/* out[i] = f(a[i], b[i]) for i < n; b is NULL for one operand, out may be a or b. Equal operands must give equal values; it
 * is called from several threads at once, and meets any doubles. */
typedef void (*balmer_block_function)(double* out, const double* a, const double* b, size_t n, void* user);
/* Adds an operator of `arity` (1 or 2) operands that is compiled code. `derivatives` has a function for each operand, or is
 * NULL: central differences. `user` is handed on; it must outlive all that is made with the operators. */
BALMER_C_API balmer_status balmer_operators_define_compiled(balmer_operators* operators, const char* name, int arity,
                                                            balmer_block_function value,
                                                            const balmer_block_function* derivatives, void* user,
                                                            int complexity, balmer_error* error);
BALMER_C_API void balmer_operators_free(balmer_operators* operators);

/* ---- data -------------------------------------------------------------------------------------------------------- */

/* A table: feature j of row i is X[i * row_stride + j * column_stride]. Zero it before you fill it in. */
typedef struct balmer_table {
    const double* X;
    size_t n_rows, n_features;
    size_t row_stride, column_stride; /* in elements; both 0: row after row, as C arrays are */
    const double* target;             /* n_rows values, or NULL */
    const double* weights;            /* n_rows values, or NULL: all 1 */
    const char* const* names;         /* n_features names of the features, or NULL: x0, x1, ... */
} balmer_table;

/* Copies the table. Targets and weights must be finite, weights not negative and not all zero. Features may be NaN or
 * infinite where they are only evaluated; a search refuses them. */
BALMER_C_API balmer_dataset* balmer_dataset_create(const balmer_table* table, balmer_error* error);
/* Refers to the features instead of copying them: row_stride is 1, there is neither target nor weights, values are not
 * checked, and X must outlive the handle. For evaluation only. */
BALMER_C_API balmer_dataset* balmer_dataset_view(const balmer_table* table, balmer_error* error);
BALMER_C_API size_t balmer_dataset_n_rows(const balmer_dataset* dataset);
BALMER_C_API size_t balmer_dataset_n_features(const balmer_dataset* dataset);
BALMER_C_API void balmer_dataset_free(balmer_dataset* dataset);

/* ---- formulas ---------------------------------------------------------------------------------------------------- */

/* Reads a formula. `names` (n_names of them) are the features in their order; without names they are x0, x1, ...
 * `operators` may be NULL: the built-in ones. */
BALMER_C_API balmer_expression* balmer_parse(const char* text, const char* const* names, size_t n_names,
                                             const balmer_operators* operators, balmer_error* error);
BALMER_C_API balmer_expression* balmer_expression_copy(const balmer_expression* expression, balmer_error* error);
BALMER_C_API void balmer_expression_free(balmer_expression* expression);

typedef enum balmer_format {
    BALMER_TEXT = 0, /* what balmer_parse reads */
    BALMER_LATEX = 1,
    BALMER_SYMPY = 2
} balmer_format;

/* Writes the formula with `precision` significant digits (17: as many as read back to the same doubles; sympy always has
 * these) into `buffer` of `capacity` bytes, cut if it is too small, always ended by a zero. Returns the length of the
 * whole text without that zero, -1 for an error. With capacity 0, buffer may be NULL. */
BALMER_C_API ptrdiff_t balmer_expression_text(const balmer_expression* expression, balmer_format format, int precision,
                                              char* buffer, size_t capacity, balmer_error* error);
/* The sum of the complexities of the nodes, each counted as the table of operators says. */
BALMER_C_API int balmer_expression_complexity(const balmer_expression* expression);
BALMER_C_API size_t balmer_expression_n_constants(const balmer_expression* expression);
/* All constants, in the order in which they stand in the text. */
BALMER_C_API void balmer_expression_get_constants(const balmer_expression* expression, double* constants);
BALMER_C_API void balmer_expression_set_constants(balmer_expression* expression, const double* constants);

/* values[e * n_rows + i]: formula e at row i, for n formulas on n_threads threads. The bits do not depend on the number of
 * threads or the instruction set. */
BALMER_C_API balmer_status balmer_evaluate(const balmer_expression* const* expressions, size_t n,
                                           const balmer_dataset* dataset, double* values, int n_threads,
                                           balmer_error* error);
/* values[i], and gradient[j * n_rows + i]: the derivative by feature j at row i. */
BALMER_C_API balmer_status balmer_evaluate_gradient(const balmer_expression* expression, const balmer_dataset* dataset,
                                                    double* values, double* gradient, balmer_error* error);

typedef struct balmer_fit {
    double loss;    /* weighted mean of the loss over the rows; infinite if the formula is not finite on one */
    int iterations; /* steps, accepted and rejected */
    int converged;  /* 1: no step promises more; 0: the steps ran out, or the loss is not finite */
} balmer_fit;

/* Fits the constants of the formula to the target, in place. `loss`: NULL for least squares, else a name or a formula:
 * "HuberLoss(1.35)", "loss(prediction, target) = abs(prediction - target)". `result` and `standard_errors` (one for each
 * constant; least squares only) may be NULL. */
BALMER_C_API balmer_status balmer_fit_constants(balmer_expression* expression, const balmer_dataset* dataset,
                                                const char* loss, int max_iterations, balmer_fit* result,
                                                double* standard_errors, balmer_error* error);

/* ---- the search -------------------------------------------------------------------------------------------------- */

/* The defaults; formulas are made of + - * / unless operators are chosen. */
BALMER_C_API balmer_options* balmer_options_create(balmer_error* error);
BALMER_C_API void balmer_options_free(balmer_options* options);
/* Any number of EvolutionOptions and SearchOptions by its name: "maxsize", "niterations", "timeout_in_seconds", "seed",
 * "n_threads", ... Switches are 0 or 1. */
BALMER_C_API balmer_status balmer_options_set(balmer_options* options, const char* name, double value,
                                              balmer_error* error);
/* What formulas may be made of, separated by blanks: "+ - * / exp log". Names are looked up when the search is made. */
BALMER_C_API balmer_status balmer_options_set_operators(balmer_options* options, const char* names,
                                                        balmer_error* error);
/* What is minimised, in the forms that balmer_fit_constants takes. */
BALMER_C_API balmer_status balmer_options_set_loss(balmer_options* options, const char* loss, balmer_error* error);

/* Copies the data and the options. `operators` may be NULL: the built-in ones. */
BALMER_C_API balmer_search* balmer_search_create(const balmer_dataset* dataset, const balmer_operators* operators,
                                                 const balmer_options* options, balmer_error* error);
BALMER_C_API void balmer_search_free(balmer_search* search);

typedef struct balmer_progress {
    int iteration, iterations; /* done, and wanted */
    double evaluations, seconds;
    const balmer_search* search; /* its front is that of now */
} balmer_progress;

/* Called between iterations on the thread that called balmer_search_run. Return 0 to stop. */
typedef int (*balmer_progress_function)(const balmer_progress* progress, void* user);

typedef enum balmer_stop {
    BALMER_STOP_ITERATIONS = 0,
    BALMER_STOP_EARLY_STOP = 1,
    BALMER_STOP_EXACT = 2,
    BALMER_STOP_TIMEOUT = 3,
    BALMER_STOP_MAX_EVALS = 4,
    BALMER_STOP_INTERRUPTED = 5,
    BALMER_STOP_SETTLED = 6 /* few rows of measurements, and a formula explains what they can tell */
} balmer_stop;

/* Runs until an option says stop; a second call goes on where the first one stopped. `progress` and `reason` may be NULL.
 * Same data, options and seed: same front, bit for bit, for any number of threads. */
BALMER_C_API balmer_status balmer_search_run(balmer_search* search, balmer_progress_function progress, void* user,
                                             balmer_stop* reason, balmer_error* error);
/* Makes a running balmer_search_run return soon, with the front that it has. From any thread. */
BALMER_C_API void balmer_search_interrupt(balmer_search* search);

/* One formula of the front: no simpler one has a smaller loss. */
typedef struct balmer_entry {
    int complexity;
    double loss;
    double
        description_length; /* nats; the formula with the least is the one to believe first. Infinite for other losses
                                  than least squares */
} balmer_entry;

/* By rising complexity and falling loss. */
BALMER_C_API size_t balmer_search_front_size(const balmer_search* search);
BALMER_C_API balmer_status balmer_search_front_entry(const balmer_search* search, size_t index, balmer_entry* entry,
                                                     balmer_error* error);
/* A copy of the formula, yours to free. */
BALMER_C_API balmer_expression* balmer_search_front_expression(const balmer_search* search, size_t index,
                                                               balmer_error* error);
/* The index of the entry of least description length; where there is none (other losses), of least loss; -1 for an empty
 * front. */
BALMER_C_API ptrdiff_t balmer_search_best(const balmer_search* search);

/* The state of a search as bytes, and back, into a search that was made of the same data and options: it goes on to the
 * same result. Returns the number of bytes, -1 for an error; nothing is written if `capacity` is smaller. */
BALMER_C_API ptrdiff_t balmer_search_save(const balmer_search* search, void* buffer, size_t capacity,
                                          balmer_error* error);
BALMER_C_API balmer_status balmer_search_load(balmer_search* search, const void* state, size_t size,
                                              balmer_error* error);

#ifdef __cplusplus
}
#endif

#endif
