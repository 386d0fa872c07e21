; C++. A capture is a kind of `RepoSymbol`; @name is its name. A function_declarator stands for the declaration around it.
(preproc_def name: (identifier) @name) @macro
(preproc_function_def name: (identifier) @name) @macro
(namespace_definition name: (_) @name) @module
(class_specifier name: (_) @name body: (_)) @class
(struct_specifier name: (_) @name body: (_)) @struct
(union_specifier name: (_) @name body: (_)) @struct
(enum_specifier name: (_) @name body: (_)) @enum
(type_definition declarator: (type_identifier) @name) @type
(alias_declaration name: (type_identifier) @name) @type
(concept_definition name: (identifier) @name) @type
(function_declarator declarator: [(identifier) (field_identifier) (destructor_name) (operator_name) (qualified_identifier)] @name) @function
(translation_unit (declaration (type_qualifier) declarator: (init_declarator declarator: (identifier) @name)) @constant)
(namespace_definition body: (declaration_list (declaration (type_qualifier) declarator: (init_declarator declarator: (identifier) @name)) @constant))
