; Rust. A capture is a kind of `RepoSymbol`; @name is its name, @scope makes functions within it methods.
(struct_item name: (type_identifier) @name) @struct
(union_item name: (type_identifier) @name) @struct
(enum_item name: (type_identifier) @name) @enum
(trait_item name: (type_identifier) @name) @trait
(impl_item) @scope
(mod_item name: (identifier) @name body: (_)) @module
(type_item name: (type_identifier) @name) @type
(const_item name: (identifier) @name) @constant
(static_item name: (identifier) @name) @constant
(macro_definition name: (identifier) @name) @macro
(function_item name: (identifier) @name) @function
(function_signature_item name: (identifier) @name) @function
