// Package cloud has the commands of the local partner cloud.
package cloud
