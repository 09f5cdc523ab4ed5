"""Every sentence the package prints, one YAML file per area: `key: {en: …, ja: …}`."""
