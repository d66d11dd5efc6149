package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// Setting is one setting as its field's tags describe it.
type Setting struct {
	Name    string // in the file
	Flag    string // "" when there is none
	Files   string // endings of the files its flag completes, with commas between; "" for no files
	Default string // "" when it has none, or one that is settled when it is known
	About   string
	Feature bool // of a feature, and so serve's: not the installation's own

	value reflect.Value
}

// Settings are all settings there are, in the order of the documentation, for
// whoever makes flags of them.
func Settings() []Setting { return new(Config).settings() }

// settings reads the tags of c and of the features' settings in it.
func (c *Config) settings() (list []Setting) {
	var later []Setting // lists come last, since only the file sets them
	walk := func(v reflect.Value, feature bool) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name := f.Tag.Get("yaml")
			if !f.IsExported() || f.Type.Kind() == reflect.Struct {
				continue
			}
			s := Setting{Name: name, Flag: f.Tag.Get("flag"), Files: f.Tag.Get("file"), Default: f.Tag.Get("default"), Feature: feature,
				About: strings.ReplaceAll(f.Tag.Get("about"), "CLOUDS", strings.Join(Clouds(), ", ")), value: v.Field(i)}
			if s.list() {
				later = append(later, s)
			} else {
				list = append(list, s)
			}
		}
	}
	own := reflect.ValueOf(c).Elem()
	walk(own, false)
	for i := range own.NumField() {
		if f := own.Type().Field(i); f.IsExported() && f.Type.Kind() == reflect.Struct {
			walk(own.Field(i), true)
		}
	}
	return append(list, later...)
}

// checker is a feature's settings that can be wrong.
type checker interface {
	Check(bad func(name, format string, args ...any) *problem.Error) error
}

// parts are the features' settings.
func (c *Config) parts() (list []checker) {
	own := reflect.ValueOf(c).Elem()
	for i := range own.NumField() {
		if !own.Type().Field(i).IsExported() {
			continue
		}
		if p, ok := own.Field(i).Addr().Interface().(checker); ok {
			list = append(list, p)
		}
	}
	return list
}

// empty says that a text is, which is as good as not given.
func (s Setting) empty() bool { return s.value.Kind() == reflect.String && s.value.IsZero() }

func (s Setting) list() bool { return s.value.Kind() == reflect.Slice }

// set takes a setting from text. A list is set by the file alone.
func (s Setting) set(v string) error {
	switch p := s.value.Addr().Interface().(type) {
	case *string:
		*p = v
	case *time.Duration:
		d, err := time.ParseDuration(v)
		if err != nil {
			return fmt.Errorf("%q is not a duration", v)
		}
		*p = d
	default:
		panic("config: " + s.Name + " is of a type that nobody reads")
	}
	return nil
}

// String is the setting's value for people.
func (s Setting) String() string {
	if !s.list() {
		return fmt.Sprint(s.value.Interface())
	}
	var names []string
	for i := range s.value.Len() {
		names = append(names, fmt.Sprint(s.value.Index(i).Interface()))
	}
	return strings.Join(names, " ")
}
