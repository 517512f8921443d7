@_exported public import Logging
@_exported public import MasterHTTP
@_exported public import MasterYAML
