package broker

// Config is who may have tokens.
type Config struct {
	// ClientCA is a PEM file of the authorities that callers' certificates come
	// from. Without it callers prove themselves by OIDC tokens only.
	ClientCA string `yaml:"clientCA" about:"a PEM file of the authorities of callers' certificates"`
	// Policy is the file that says which caller may have which token. Without it
	// serve hands out none.
	Policy string `yaml:"policy" flag:"policy" file:"yaml,yml" about:"which caller may have which token"`
}
