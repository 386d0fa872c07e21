; Elixir: everything is a call. A capture is a kind of `RepoSymbol`; @name is its name, @word is only compared.
(call target: (identifier) @word (arguments . (alias) @name)
  (#any-of? @word "defmodule" "defprotocol" "defimpl")) @module
(call target: (identifier) @word
  (arguments . [
    (identifier) @name
    (call target: (identifier) @name)
    (binary_operator left: (call target: (identifier) @name) operator: "when")
    (binary_operator left: (identifier) @name operator: "when")
  ])
  (#any-of? @word "def" "defp" "defdelegate" "defn" "defnp")) @function
(call target: (identifier) @word
  (arguments . [
    (identifier) @name
    (call target: (identifier) @name)
    (binary_operator left: (call target: (identifier) @name) operator: "when")
  ])
  (#any-of? @word "defmacro" "defmacrop" "defguard" "defguardp")) @macro
