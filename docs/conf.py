"""How the site is made: sphinx-build -W docs build/site."""

from __future__ import annotations

import balmer

project = "balmer"
author = "The balmer authors"
release = balmer.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

autodoc_typehints = "none"  # the docstrings give the types in words
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_use_ivar = True

# Links that leave the folder lead to the repository's files.
suppress_warnings = ["myst.xref_missing", "ref.ref", "ref.term"]  # of scikit-learn's own docstrings, too

html_theme = "alabaster"
html_theme_options = {
    "description": "Finds formulas in data",
    "fixed_sidebar": True,
    "page_width": "1100px",
    "sidebar_width": "230px",
}
html_title = "balmer"
