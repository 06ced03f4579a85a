"""The one edit that makes a wrong line right: the table of slips, edits of trees and of the writer's text."""
