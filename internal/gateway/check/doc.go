// Package check explains a gateway's file: its routes, its keys, and what a given token
// would get. It works from files alone.
package check
