//go:build tools

// Package tools names what is built here, in a module of its own: each wants other
// versions of the same modules.
package tools

import _ "github.com/hashicorp/terraform"
