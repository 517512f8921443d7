public import MasterKit

extension Durability: SettingEnumeration {}
