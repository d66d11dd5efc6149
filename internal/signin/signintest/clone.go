package signintest

import (
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"partnerguard/internal/signin"
)

// Clone returns a copy of e that shares no memory with the decoder.
func Clone(e *signin.Event) signin.Event {
	c := *e
	v := (*[unsafe.Sizeof(signin.Event{})]byte)(unsafe.Pointer(&c))
	for _, o := range cloneOffsets {
		s := (*string)(unsafe.Pointer(&v[o]))
		*s = strings.Clone(*s)
	}
	c.EventTypes = cloneTexts(e.EventTypes)
	c.Steps = slices.Clone(e.Steps)
	for i := range c.Steps {
		s := &c.Steps[i]
		s.Method, s.MethodDetail = strings.Clone(s.Method), strings.Clone(s.MethodDetail)
		s.ResultDetail, s.Requirement = strings.Clone(s.ResultDetail), strings.Clone(s.Requirement)
	}
	c.RequirementPolicies = slices.Clone(e.RequirementPolicies)
	for i := range c.RequirementPolicies {
		p := &c.RequirementPolicies[i]
		p.Provider, p.Detail = strings.Clone(p.Provider), strings.Clone(p.Detail)
	}
	c.Policies = slices.Clone(e.Policies)
	for i := range c.Policies {
		p := &c.Policies[i]
		p.ID, p.DisplayName, p.Result = strings.Clone(p.ID), strings.Clone(p.DisplayName), strings.Clone(p.Result)
		p.GrantControls = cloneTexts(p.GrantControls)
	}
	return c
}

func cloneTexts(list []string) []string {
	c := slices.Clone(list)
	for i := range c {
		c[i] = strings.Clone(c[i])
	}
	return c
}

// cloneOffsets are the places of all texts of an Event.
var cloneOffsets = func() (o []uintptr) {
	for f := range reflect.TypeFor[signin.Event]().Fields() {
		if f.Type.Kind() == reflect.String {
			o = append(o, f.Offset)
		}
	}
	return o
}()
