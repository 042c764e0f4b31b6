/* Writes where there is no memory: an illegal address, after which the context of the process is dead. */
extern "C" __global__ void fault(int *at) {
    at[threadIdx.x] = 1;
}
