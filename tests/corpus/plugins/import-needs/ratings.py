import a_library_of_ratings

tierwise_hooks = 1
