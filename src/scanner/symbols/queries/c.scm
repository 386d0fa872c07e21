; C. A capture is a kind of `RepoSymbol`; @name is its name. A function_declarator stands for the declaration around it.
(preproc_def name: (identifier) @name) @macro
(preproc_function_def name: (identifier) @name) @macro
(struct_specifier name: (type_identifier) @name body: (_)) @struct
(union_specifier name: (type_identifier) @name body: (_)) @struct
(enum_specifier name: (type_identifier) @name body: (_)) @enum
(type_definition declarator: (type_identifier) @name) @type
(type_definition declarator: (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name)))) @type
(function_declarator declarator: (identifier) @name) @function
(translation_unit (declaration (type_qualifier) declarator: (init_declarator declarator: (identifier) @name)) @constant)
