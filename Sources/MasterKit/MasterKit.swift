@_exported public import Logging
@_exported public import MasterHTTP
@_exported public import MasterJSON
@_exported public import MasterTemplates
@_exported public import MasterYAML
