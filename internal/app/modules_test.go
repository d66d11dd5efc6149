package app

import (
	"reflect"
	"testing"
)

// Every feature of an installation is among the modules, and what it has of the
// names that serve calls has the form that is called: else it would silently not
// be served.
func TestModules(t *testing.T) {
	t.Parallel()
	listed := map[reflect.Type]bool{}
	for _, m := range new(Installation).modules() {
		listed[reflect.TypeOf(m.feature)] = true
		if m.name == "" {
			t.Errorf("%T has no name", m.feature)
		}
	}
	forms := map[string]reflect.Type{"Mount": reflect.TypeFor[mounter](), "Jobs": reflect.TypeFor[worker](), "Metrics": reflect.TypeFor[watched](),
		"Ready": reflect.TypeFor[ready](), "Apart": reflect.TypeFor[apart]()}
	typ := reflect.TypeFor[features]()
	for i := range typ.NumField() {
		f := typ.Field(i).Type
		if !listed[f] {
			t.Errorf("%s is a feature and not among the modules", f)
		}
		some := false
		for name, form := range forms {
			if _, has := f.MethodByName(name); has && !f.Implements(form) {
				t.Errorf("%s.%s does not have the form of %s, so nobody calls it", f, name, form)
			}
			some = some || f.Implements(form)
		}
		if !some {
			t.Errorf("%s has nothing that is served", f)
		}
	}
}
