// Command gen makes the role data from public facts that lie beside the repository: role
// definitions, Microsoft's table of least privileged roles by task, activities with the
// actions that allow them, and Partner Center's calls. Where the facts are not there it
// says so and leaves the data as it is.
package main
