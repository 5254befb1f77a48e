# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Five lines
#
# The moment of the policy brief: what could be known at the end of 2016, and how long the
# alignment of China and Russia would then last under each US weather. Sampling takes minutes.

# %%
import fairweather as fw

panel = fw.load_panel(as_of="2016-12-31")
tree = fw.fit(panel)
fc = fw.forecast(tree, panel)
fw.plot_survival(fc)

# %% [markdown]
# The path so far, and what each indicator of pressure saw.

# %%
fw.plot_alignment(tree, panel)

# %%
fw.plot_pressure(tree, panel)

# %% [markdown]
# The verdicts on the claims, and the archive.

# %%
fw.assess_claims(tree, panel, fc)

# %%
fw.save_results(tree, fc)
